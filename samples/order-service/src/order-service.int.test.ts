// The contract on real Kafka and Postgres.
import { type KafkaService, type PostgresService, startKafka, startPostgres } from '@narrative/testing'
import { afterAll } from 'vitest'
import { orderServiceContract } from './contract/order-service-contract.test-support.js'
import { ServiceUnderTest } from './contract/service-under-test.test-support.js'

let kafka: KafkaService | undefined
let postgres: PostgresService | undefined

orderServiceContract(async () => {
  kafka = await startKafka()
  postgres = await startPostgres()
  return ServiceUnderTest.start({ kind: 'kafka', brokers: kafka.brokers, databaseUrl: await postgres.createDatabase() })
})

afterAll(async () => {
  await postgres?.stop()
  await kafka?.stop()
})
