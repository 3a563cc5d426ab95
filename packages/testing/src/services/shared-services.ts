// One Kafka and one Postgres for a whole test run.
import { type KafkaService, kafkaVariable, startKafka } from './start-kafka.js'
import { type PostgresService, postgresVariable, startPostgres } from './start-postgres.js'

/** What could be started. */
export interface SharedServices {
  readonly kafka: KafkaService | undefined
  readonly postgres: PostgresService | undefined
  /** Why the others could not. */
  readonly faults: readonly Error[]
  /** The variables by which `startKafka()` and `startPostgres()` find the services in other processes. */
  readonly environment: Readonly<Record<string, string>>
  stop(): Promise<void>
}

/** Starts both at once; the one is of use without the other. */
export async function startSharedServices(): Promise<SharedServices> {
  const faults: Error[] = []
  const failed = (error: Error) => {
    faults.push(error)
    return undefined
  }
  const [kafka, postgres] = await Promise.all([
    startKafka().catch(failed),
    // Tests kill processes, never the machine: what fsync protects from cannot happen to data that is thrown away.
    startPostgres({ settings: { fsync: 'off', max_connections: '200' } }).catch(failed),
  ])
  return {
    kafka,
    postgres,
    faults,
    environment: {
      ...(kafka && { [kafkaVariable]: kafka.brokers.join(',') }),
      ...(postgres && { [postgresVariable]: postgres.url }),
    },
    stop: async () => void (await Promise.all([kafka?.stop(), postgres?.stop()])),
  }
}
