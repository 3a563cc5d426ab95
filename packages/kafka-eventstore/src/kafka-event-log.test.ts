// The read side beside what the contract says: the end of partitions one does not own, brokers that come and go, voids.
import { silentLogger, systemClock } from '@narrative/core'
import { afterEach, expect, test } from 'vitest'
import { claimAt } from './claim-at.js'
import type { GroupOptions } from './driver/kafka-driver.js'
import { KafkaEventLog } from './kafka-event-log.js'
import { MemoryBroker } from './memory-broker.test-support.js'
import { openKafkaStorage } from './open-kafka-storage.js'
import { settingsOf } from './options.js'
import { claimsIn, type OpenedStore, openStore, topic, until } from './store.test-support.js'

const stop = new AbortController()
const opened: OpenedStore[] = []
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close()
})

async function start(broker: MemoryBroker): Promise<OpenedStore> {
  const store = await openStore(broker)
  opened.push(store)
  return store
}

/** A log of an instance that owns nothing. */
function reader(broker: MemoryBroker): KafkaEventLog {
  return new KafkaEventLog({
    sessionTimeout: 6_000,
    driver: broker.driver(),
    logger: silentLogger,
    topicOf: (category) => `test.${category}.events`,
    ownedPoint: () => undefined,
    closed: stop.signal,
  })
}

test('the claim in force is found backwards, however far back it is', async () => {
  const broker = new MemoryBroker()
  const store = await start(broker)
  await Promise.all(Array.from({ length: 2_500 }, (_, n) => store.write(`order-${n}`)))
  const driver = broker.driver()
  const { length } = broker.partition(topic, 0).log
  expect(await claimAt(driver, topic, 0, length)).toBe(claimsIn(broker)[0])
  expect(await claimAt(driver, topic, 0, 1)).toBe(claimsIn(broker)[0])
  expect(await claimAt(driver, topic, 0, 0)).toBeNull()
  const second = await start(broker)
  await second.write('order-1')
  expect(await claimAt(driver, topic, 0, length)).toBe(claimsIn(broker)[0])
  expect(await claimAt(driver, topic, 0, length + 2)).toBe(claimsIn(broker)[1])
})

test('a position needs no claim: the reader finds the one in force there', async () => {
  const broker = new MemoryBroker()
  for (const streams of [['order-1', 'order-2'], ['order-3']]) {
    const store = await start(broker)
    for (const stream of streams) await store.write(stream)
  }
  const from = (offset: number) =>
    reader(broker).subscribe({ categories: ['order'], from: [{ topic, partition: 0, offset }] })
  for await (const { events } of from(2)) {
    expect(events.map(({ streamId }) => streamId)).toEqual(['order-2', 'order-3'])
    break
  }
  await expect(from(99)[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'LOG_TRUNCATED' })
})

test('an instance that owns nothing reads from the end on', async () => {
  const broker = new MemoryBroker()
  const store = await start(broker)
  await store.write('order-1')
  const batches = reader(broker)
    .subscribe({ categories: ['order'], from: 'end' })
    [Symbol.asyncIterator]()
  const { value: first } = await batches.next()
  expect(first?.events).toEqual([])
  await store.write('order-2')
  const versions = (await batches.next()).value?.events.map(({ streamId }: { streamId: string }) => streamId)
  expect(versions).toEqual(['order-2'])
  await batches.return?.()
})

test('a subscription survives a broker that goes and comes back, and misses nothing', async () => {
  const broker = new MemoryBroker()
  const store = await start(broker)
  const seen: number[] = []
  const end = new AbortController()
  const reading = (async () => {
    const options = { categories: ['order'], from: 'start', signal: end.signal } as const
    for await (const batch of reader(broker).subscribe(options))
      seen.push(...batch.events.map((event) => event.version))
  })()
  for (let n = 1; n <= 3; n++) {
    await store.write('order-1')
    await until(() => seen.length === n)
    broker.crash()
    await new Promise((resolve) => setTimeout(resolve, 20))
    broker.down = false
  }
  end.abort()
  await reading
  expect(seen).toEqual([1, 2, 3])
})

test('a subscription waits for a topic that does not exist yet', async () => {
  const broker = new MemoryBroker()
  const log = reader(broker)
  expect(await log.partitions('order')).toEqual([])
  const batches = log.subscribe({ categories: ['order'], from: 'start' })[Symbol.asyncIterator]()
  const next = batches.next()
  const store = await start(broker)
  await store.write('order-1')
  let events = (await next).value?.events ?? []
  if (events.length === 0) events = (await batches.next()).value?.events ?? []
  expect(events.map(({ streamId }: { streamId: string }) => streamId)).toEqual(['order-1'])
  await batches.return?.()
})

test('a reader is at most two fetches ahead of whoever handles the batches', async () => {
  const broker = new MemoryBroker()
  const store = await start(broker)
  await Promise.all(Array.from({ length: 5_000 }, (_, n) => store.write(`order-${n}`)))
  const driver = broker.driver()
  let fetches = 0
  const counted = {
    ...driver,
    fetch: (request: Parameters<typeof driver.fetch>[0]) => {
      fetches++
      return driver.fetch({ ...request, maxBytes: 100_000 })
    },
  }
  const log = new KafkaEventLog({
    sessionTimeout: 6_000,
    driver: counted,
    logger: silentLogger,
    topicOf: () => topic,
    ownedPoint: () => undefined,
    closed: stop.signal,
  })
  let handled = 0
  for await (const _ of log.subscribe({ categories: ['order'], from: 'start' })) {
    handled++
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect(fetches).toBeLessThanOrEqual(handled + 3)
    if (handled === 20) break
  }
})

test('a claim is renewed in time, and nobody notices', async () => {
  const broker = new MemoryBroker()
  const settings = settingsOf({ brokers: [], context: 'test', partitions: 1, driver: () => broker.driver() })
  const context = { categories: ['order'], clock: systemClock, logger: silentLogger }
  const store = await openKafkaStorage({ ...settings, renewAfter: 20 }, context)
  await until(() => claimsIn(broker).length >= 3)
  expect(store.status()[0]).toMatchObject({ voids: 0 })
  await store.close()
})

test('readers that share a log are given up after the session timeout of the store', async () => {
  const driver = new MemoryBroker().driver()
  const asked: GroupOptions[] = []
  const joinGroup = (options: GroupOptions) => {
    asked.push(options)
    return driver.joinGroup(options)
  }
  const settings = settingsOf({ brokers: [], sessionTimeout: 12_345, driver: () => ({ ...driver, joinGroup }) })
  const store = await openKafkaStorage(settings, { categories: [], clock: systemClock, logger: silentLogger })
  await store.eventLog.share!({ group: 'view', categories: ['order'], onAssigned() {} })
  expect(asked).toMatchObject([{ sessionTimeout: 12_345 }])
  expect(store.status()).toEqual([])
  await store.close()
})

test('a record that is not ours ends a subscription, unless it is asked for', async () => {
  const broker = new MemoryBroker()
  const store = await start(broker)
  await store.write('order-1')
  const { log } = broker.partition(topic, 0)
  const { length } = log
  log.push({ ...log.at(-1)!, key: null, headers: [] })
  const all = { categories: ['order'], from: 'start' } as const
  const refused = (async () => {
    for await (const _batch of reader(broker).subscribe(all));
  })()
  await expect(refused).rejects.toMatchObject({ code: 'LOG_CORRUPT', details: { offset: length } })
  for await (const { events, unreadable, checkpoint } of reader(broker).subscribe({ ...all, unreadable: 'give' })) {
    expect(events.map(({ streamId }) => streamId)).toEqual(['order-1'])
    expect(unreadable!.map(({ position }) => position.offset)).toEqual([length])
    expect(checkpoint.offset).toBe(length + 1)
    break
  }
})
