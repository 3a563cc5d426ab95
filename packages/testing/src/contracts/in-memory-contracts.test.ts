import { InMemoryCheckpointStore, InMemorySnapshotStore, inMemoryEventStore } from '@narrative/core'
import { describe, test } from 'vitest'
import { checkpointStoreContract } from './checkpoint-store-contract.js'
import { eventLogContract } from './event-log-contract.js'
import { eventStoreContract } from './event-store-contract.js'
import { snapshotStoreContract } from './snapshot-store-contract.js'

describe.each([1, 4])('the in-memory event store, %i partitions', (partitions) => {
  for (const { name, run } of eventStoreContract) test(name, () => run(() => inMemoryEventStore({ partitions })))
  for (const { name, run } of eventLogContract) test(name, () => run(() => inMemoryEventStore({ partitions })))
})

describe('the in-memory snapshot store', () => {
  for (const { name, run } of snapshotStoreContract) test(name, () => run(() => new InMemorySnapshotStore()))
})

describe('the in-memory checkpoint store', () => {
  for (const { name, run } of checkpointStoreContract) test(name, () => run(() => new InMemoryCheckpointStore()))
})
