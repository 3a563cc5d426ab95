// Kafka and Postgres for a run: started when a figure first asks, stopped at the end whatever happened.
import { silentLogger, stderrLogger } from '@narrative/core'
import { type KafkaService, type PostgresService, startKafka, startPostgres } from '@narrative/testing'

export class Services {
  #kafka: Promise<KafkaService> | undefined
  #postgres: Promise<PostgresService> | undefined

  kafka(): Promise<KafkaService> {
    this.#kafka ??= startKafka()
    return this.#kafka
  }

  postgres(): Promise<PostgresService> {
    // Default durability: an fsync per commit, as in service.
    this.#postgres ??= startPostgres({ settings: { max_connections: '200' } })
    return this.#postgres
  }

  /** Those that were asked for and run. */
  async started(): Promise<{ readonly kafka?: KafkaService; readonly postgres?: PostgresService }> {
    const [kafka, postgres] = await Promise.allSettled([this.#kafka, this.#postgres])
    return {
      kafka: kafka.status === 'fulfilled' ? kafka.value : undefined,
      postgres: postgres.status === 'fulfilled' ? postgres.value : undefined,
    }
  }

  async stop(): Promise<void> {
    const { kafka, postgres } = await this.started()
    await Promise.all([kafka?.stop(), postgres?.stop()])
  }
}

/** Where the stores under measurement report: warnings only. */
export const benchLogger = process.env.NARRATIVE_BENCH_LOG ? stderrLogger() : silentLogger
