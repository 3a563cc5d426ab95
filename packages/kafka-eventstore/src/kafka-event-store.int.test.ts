// The contract of every adapter, on a real broker.
import { eventLogContract, eventStoreContract, type KafkaService, startKafka, uniqueName } from '@narrative/testing'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { kafkaEventStore } from './kafka-event-store.js'

describe('the event store on Kafka', () => {
  let kafka: KafkaService
  beforeAll(async () => {
    kafka = await startKafka()
  })
  afterAll(() => kafka.stop())

  const fresh = () => kafkaEventStore({ brokers: kafka.brokers, context: uniqueName('contract') })
  for (const { name, run } of eventStoreContract) test(name, () => run(fresh))
  for (const { name, run } of eventLogContract) test(name, () => run(fresh))
})
