// The contract of every adapter, on the broker in memory: all of the store but the wire.
import { eventLogContract, eventStoreContract } from '@narrative/testing'
import { describe, test } from 'vitest'
import { kafkaEventStore } from './kafka-event-store.js'
import { MemoryBroker } from './memory-broker.test-support.js'

describe.each([1, 4])('the event store on a broker in memory, %i partitions', (partitions) => {
  const fresh = () => {
    const driver = new MemoryBroker().driver()
    return kafkaEventStore({ brokers: [], context: 'test', partitions, driver: () => driver })
  }
  for (const { name, run } of eventStoreContract) test(name, () => run(fresh))
  for (const { name, run } of eventLogContract) test(name, () => run(fresh))
})
