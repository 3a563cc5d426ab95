// vitest's globalSetup of this repository: one Kafka and one Postgres for a whole run.
import { kafkaVariable, startKafka } from './start-kafka.js'
import { postgresVariable, startPostgres } from './start-postgres.js'

/**
 * Starts both and names them in the environment, which vitest's workers inherit: there `startKafka()` and
 * `startPostgres()` find them at once, and their `stop()` leaves them alone.
 *
 * @returns what stops them
 */
export default async function shareServices(): Promise<() => Promise<void>> {
  const [kafka, postgres] = await Promise.all([
    startKafka(),
    // Tests kill processes, never the machine: what fsync protects from cannot happen to data that is thrown away.
    startPostgres({ settings: { fsync: 'off', max_connections: '200' } }),
  ])
  const before = { [kafkaVariable]: process.env[kafkaVariable], [postgresVariable]: process.env[postgresVariable] }
  process.env[kafkaVariable] = kafka.brokers.join(',')
  process.env[postgresVariable] = postgres.url
  process.stderr.write(`Kafka (${kafka.source}) and Postgres (${postgres.source}) are ready.\n`)
  return async () => {
    for (const [name, value] of Object.entries(before)) {
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
    await Promise.all([kafka.stop(), postgres.stop()])
  }
}
