// One Kafka and one Postgres for a whole test run.
import { type KafkaService, kafkaVariable, startKafka } from './start-kafka.js'
import { type PostgresService, postgresVariable, startPostgres } from './start-postgres.js'

/** Both services, and the variables by which `startKafka()` and `startPostgres()` find them in other processes. */
export interface SharedServices {
  readonly kafka: KafkaService
  readonly postgres: PostgresService
  readonly environment: Readonly<Record<string, string>>
  stop(): Promise<void>
}

/**
 * Starts both at once.
 *
 * @throws the error of the one that could not be started, after stopping the other
 */
export async function startSharedServices(): Promise<SharedServices> {
  const [kafka, postgres] = await Promise.allSettled([
    startKafka(),
    // Tests kill processes, never the machine: what fsync protects from cannot happen to data that is thrown away.
    startPostgres({ settings: { fsync: 'off', max_connections: '200' } }),
  ])
  if (kafka.status === 'fulfilled' && postgres.status === 'fulfilled') {
    return {
      kafka: kafka.value,
      postgres: postgres.value,
      environment: { [kafkaVariable]: kafka.value.brokers.join(','), [postgresVariable]: postgres.value.url },
      stop: async () => void (await Promise.all([kafka.value.stop(), postgres.value.stop()])),
    }
  }
  for (const started of [kafka, postgres]) if (started.status === 'fulfilled') await started.value.stop()
  const faults = [kafka, postgres].flatMap((started) => (started.status === 'rejected' ? [started.reason] : []))
  throw faults.length === 1 ? faults[0] : new AggregateError(faults, faults.map((fault) => fault.message).join('\n'))
}
