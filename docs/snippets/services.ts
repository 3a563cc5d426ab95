// What the guide to testing shows of real services.
// #region services
import { startKafka, startPostgres, uniqueName } from '@narrative/testing'

export async function withServices(
  work: (services: { brokers: string[]; url: string; context: string }) => Promise<void>,
) {
  const kafka = await startKafka()
  const postgres = await startPostgres()
  try {
    await work({ brokers: kafka.brokers, url: await postgres.createDatabase(), context: uniqueName('test') })
  } finally {
    await postgres.stop()
    await kafka.stop()
  }
}
// #endregion
