// What is the in-memory store's own; what it shares with every store is in the contracts of @narrative/testing.
import { expect, test } from 'vitest'
import { type EventStore, inMemoryEventStore } from '../index.js'
import { partitionOf } from './partition-of.js'

const append = (store: EventStore, streamId: string) => {
  const event = { id: 'e', type: 'order.placed', schemaVersion: 1, contentType: 'text/plain', data: new Uint8Array() }
  const metadata = { commandId: crypto.randomUUID(), correlationId: 'c', causationId: 'c' }
  return store.append(streamId, [event], { expectedVersion: 'any', metadata })
}

test('it can be opened without a context, and topics come into being with their first event', async () => {
  const { eventStore, eventLog } = await inMemoryEventStore({ context: 'shop', partitions: 2 }).open()
  expect(await append(eventStore, 'order-1')).toMatchObject({ position: { topic: 'shop.order.events' } })
  expect(await eventLog.partitions('order')).toHaveLength(2)
})

test('a claim takes an offset, so that offsets are no indexes', async () => {
  const storage = inMemoryEventStore({ partitions: 1 })
  const first = await storage.open()
  expect(await append(first.eventStore, 'order-1')).toMatchObject({ position: { offset: 1 } })
  await first.close()
  const second = await storage.open()
  expect(await append(second.eventStore, 'order-1')).toMatchObject({ version: 2, position: { offset: 3 } })
})

test('the newest opening owns every partition; an older one is told so', async () => {
  const storage = inMemoryEventStore()
  const older = await storage.open()
  await append(older.eventStore, 'order-1')
  const newer = await storage.open()
  await expect(append(older.eventStore, 'order-1')).rejects.toMatchObject({ code: 'NOT_OWNER', retryable: true })
  await expect(older.eventStore.findCommand('order-1', 'c')).rejects.toMatchObject({ code: 'NOT_OWNER' })
  expect(await append(newer.eventStore, 'order-1')).toMatchObject({ version: 2 })
})

test('two values are two logs', async () => {
  const [one, other] = [await inMemoryEventStore().open(), await inMemoryEventStore().open()]
  await append(one.eventStore, 'order-1')
  expect(await append(other.eventStore, 'order-1')).toMatchObject({ version: 1 })
})

test('the partition of a stream never changes: these were written down', () => {
  const streams = ['order-1', 'order-2', 'order-4711', 'customer-ada', 'order-ü', 'order-😀']
  expect(streams.map((streamId) => partitionOf(streamId, 12))).toMatchInlineSnapshot(`
    [
      1,
      4,
      9,
      8,
      6,
      11,
    ]
  `)
})
