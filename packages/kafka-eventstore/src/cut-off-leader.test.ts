// A leader that is cut off from the other brokers, and does not know it: it still answers who reaches it, and is wrong.
import { silentLogger, systemClock } from '@narrative/core'
import { afterEach, expect, test } from 'vitest'
import type { KafkaDriver } from './driver/kafka-driver.js'
import { kafkaEventStore } from './kafka-event-store.js'
import { MemoryBroker } from './memory-broker.test-support.js'
import { claimsIn, codeOf, type OpenedStore, openStore, topic } from './store.test-support.js'

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

/** A driver that sees, once it is cut off, the log as it was: reads go on, and nothing is ever acknowledged. */
function driverBehind(broker: MemoryBroker): KafkaDriver & { cutOff(): void } {
  const driver = broker.driver()
  let end: number | undefined
  const { produce, fetch, offsets } = driver
  return Object.assign(driver, {
    cutOff: () => {
      end = broker.partition(topic, 0).log.length
    },
    produce: ((batch) =>
      end === undefined || !batch.topic.endsWith('.events')
        ? produce.call(driver, batch)
        : Promise.resolve({
            outcome: 'unknown',
            error: new Error('no replica answered'),
          })) satisfies KafkaDriver['produce'],
    offsets: (async (name, partition) =>
      end === undefined || name !== topic
        ? offsets(name, partition)
        : { start: 0, end }) satisfies KafkaDriver['offsets'],
    fetch: (async (request) => {
      if (end === undefined || request.topic !== topic) return fetch(request)
      const { records } = await fetch({ ...request, maxWait: 0 })
      const known = records.filter(({ offset }) => offset < end!)
      return { records: known, nextOffset: request.offset + known.length, highWatermark: end }
    }) satisfies KafkaDriver['fetch'],
  })
}

async function versions(store: Pick<OpenedStore, 'eventStore'>): Promise<number[]> {
  const found: number[] = []
  for await (const { version } of store.eventStore.read('order-1')) found.push(version)
  return found
}

test('an owner that reaches only such a leader answers no read from what it has', async () => {
  const broker = new MemoryBroker()
  const driver = driverBehind(broker)
  const behind = await kafkaEventStore({
    ...{ brokers: [], context: 'test', partitions: 1, appendTimeout: 300 },
    driver: () => driver,
  }).open({ categories: ['order'], clock: systemClock, logger: silentLogger })
  closing.push(() => behind.close())
  const metadata = { commandId: 'c1', correlationId: 'c1', causationId: 'c1' }
  const event = {
    id: 'e1',
    type: 'order.placed',
    schemaVersion: 1,
    contentType: 'application/json',
    data: Buffer.from('{}'),
  }
  await behind.eventStore.append('order-1', [event], { expectedVersion: 0, metadata })
  expect(await versions(behind)).toEqual([1])
  driver.cutOff()
  const successor = await openStore(broker)
  closing.push(() => successor.close())
  await successor.write('order-1', 1)
  expect(await codeOf(versions(behind))).toBe('NOT_OWNER')
  expect(await versions(successor)).toEqual([1, 2])
  // A conflict is told from the replica, so it needs the same certainty.
  const other = { ...metadata, commandId: 'c2' }
  const refused = behind.eventStore.append('order-1', [event], { expectedVersion: 0, metadata: other })
  expect(['NOT_OWNER', 'BROKER_UNREACHABLE', 'OUTCOME_UNKNOWN']).toContain(await codeOf(refused))
})

test('reads that nobody vouches for share a batch, and one that carries appends serves them too', async () => {
  const broker = new MemoryBroker()
  const store = await openStore(broker)
  closing.push(() => store.close())
  await store.write('order-1', 0)
  const before = broker.partition(topic, 0).log.length
  await Promise.all(Array.from({ length: 50 }, () => versions(store)))
  expect(broker.partition(topic, 0).log.length - before).toBeLessThanOrEqual(2)
  const between = broker.partition(topic, 0).log.length
  const [result, seen] = await Promise.all([store.write('order-1', 1), versions(store)])
  expect(result).toMatchObject({ version: 2 })
  expect(seen.length).toBeGreaterThanOrEqual(1)
  expect(broker.partition(topic, 0).log.length - between).toBeLessThanOrEqual(2)
  expect(claimsIn(broker)).toHaveLength(1)
  expect(await versions(store)).toEqual([1, 2])
})
