// Several instances on a real broker: they share the partitions, hand them over, and take them from one that died.
import { randomUUID } from 'node:crypto'
import { isNarrativeError, type OpenStorage, silentLogger, systemClock } from '@narrative/core'
import { startKafka, uniqueName } from '@narrative/testing'
import { afterEach, expect, test } from 'vitest'
import { kafkajsDriver } from './driver/kafkajs-driver.js'
import { kafkaEventStore } from './kafka-event-store.js'
import type { KafkaEventStoreOptions } from './options.js'
import { anEvent, metadata, until } from './store.test-support.js'

const kafka = await startKafka()
const partitions = 4
const sessionTimeout = 6_000
const streams = Array.from({ length: 20 }, (_, number) => `order-${number}`)
const opened = new Set<OpenStorage>()

afterEach(async () => {
  for (const store of opened) await store.close()
  opened.clear()
})

async function open(
  context: string,
  categories = ['order'],
  more: Partial<KafkaEventStoreOptions> = {},
): Promise<OpenStorage> {
  const options = { brokers: kafka.brokers, context, partitions, ...more }
  const store = await kafkaEventStore(options).open({ categories, clock: systemClock, logger: silentLogger })
  opened.add(store)
  return store
}

const owned = (store: OpenStorage, topic = '') =>
  store
    .status()
    .filter((row) => row.state === 'serving' && row.topic.includes(topic))
    .map(({ partition }) => partition)

const write = (store: OpenStorage, streamId: string, commandId = randomUUID()) =>
  store.eventStore.append(streamId, [anEvent()], { expectedVersion: 'any', metadata: metadata(commandId) })

/** At whichever instance owns the stream: asks around until one does. Gives the milliseconds that took. */
async function writeAnywhere(stores: readonly OpenStorage[], streamId: string, commandId = randomUUID()) {
  const began = performance.now()
  for (let turn = 0; performance.now() - began < 30_000; turn++) {
    try {
      const result = await write(stores[turn % stores.length]!, streamId, commandId)
      return { result, took: performance.now() - began }
    } catch (error) {
      const elsewhere = isNarrativeError(error) && (error.retryable || error.code === 'STORE_CLOSED')
      if (!elsewhere) throw error
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
  throw new Error(`nobody took ${streamId} for 30 s`)
}

/** Every stream, as a fresh reader of the log sees it: versions from 1, in order. */
async function histories(store: OpenStorage) {
  const ends = new Map((await store.eventLog.partitions('order')).map(({ partition, end }) => [partition, end]))
  const seen = new Map<string, string[]>()
  for await (const { events, partition, checkpoint } of store.eventLog.subscribe({
    categories: ['order'],
    from: 'start',
  })) {
    for (const { streamId, version, metadata: ids } of events) {
      const history = seen.get(streamId) ?? []
      history.push(ids.commandId)
      expect(version, streamId).toBe(history.length)
      seen.set(streamId, history)
    }
    if (checkpoint.offset >= ends.get(partition)!) ends.delete(partition)
    if (ends.size === 0) break
  }
  return seen
}

test('instances share the partitions of all their categories alike; each stream has one place', async () => {
  const context = uniqueName()
  const one = await open(context, ['order', 'account'])
  expect(owned(one)).toHaveLength(8)
  const two = await open(context, ['order', 'account'])
  await until(() => owned(one).length === 4 && owned(two).length === 4)
  expect(owned(one, 'order')).toEqual(owned(one, 'account'))
  expect([...owned(one, 'order'), ...owned(two, 'order')].sort()).toEqual([0, 1, 2, 3])
  for (const streamId of streams) {
    const answers = await Promise.allSettled([write(one, streamId), write(two, streamId)])
    expect(answers.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    const refused = answers.find((answer) => answer.status === 'rejected')
    expect(refused).toMatchObject({ reason: { code: 'NOT_OWNER', retryable: true } })
  }
  expect([one.health().ready, two.health().ready]).toEqual([true, true])
  expect(one.status().filter(({ state }) => state === 'elsewhere')).toHaveLength(4)
})

test('more instances than partitions: one that owns nothing is healthy, and takes over when it is needed', async () => {
  const context = uniqueName()
  const stores = [await open(context)]
  for (let n = 0; n < partitions; n++) stores.push(await open(context))
  await until(() => stores.filter((store) => owned(store).length === 1).length === partitions)
  const idle = stores.find((store) => owned(store).length === 0)!
  expect(idle.health()).toEqual({ ready: true, reasons: [] })
  await stores.find((store) => store !== idle)!.close()
  await until(() => owned(idle).length === 1)
})

test('whoever only reads joins nothing', async () => {
  const context = uniqueName()
  const one = await open(context)
  const reader = await open(context, [])
  expect(reader.status()).toEqual([])
  expect(reader.health().ready).toBe(true)
  expect(owned(one)).toHaveLength(partitions)
})

test('partitions that stay are served through a rebalance without a pause, under the claim they had', async () => {
  const context = uniqueName()
  const one = await open(context)
  let stopped = false
  const waits: number[] = []
  const kept = new Map<string, number>()
  const writing = streams.map(async (streamId) => {
    while (!stopped) {
      const began = performance.now()
      try {
        await write(one, streamId)
        waits.push(performance.now() - began)
        kept.set(streamId, performance.now())
      } catch (error) {
        if (!isNarrativeError(error, 'NOT_OWNER') && !isNarrativeError(error, 'OUTCOME_UNKNOWN')) throw error
        return
      }
    }
  })
  await until(() => waits.length > 500)
  const two = await open(context)
  await until(() => owned(two).length === 2)
  const joined = performance.now()
  await until(() => [...kept.values()].filter((time) => time > joined).length > 0)
  stopped = true
  await Promise.all(writing)
  expect(owned(one)).toHaveLength(2)
  expect(Math.max(...waits)).toBeLessThan(3_000)
  for (const [streamId, history] of await histories(two)) {
    expect(new Set(history).size, streamId).toBe(history.length)
  }
})

test('a graceful stop hands over at once, without waiting for the session to end, and nothing is lost', async () => {
  const context = uniqueName()
  const [one, two] = [await open(context), await open(context)]
  await until(() => owned(one).length === 2 && owned(two).length === 2)
  for (const streamId of streams) await writeAnywhere([one, two], streamId)
  const closing = one.close()
  const times = await Promise.all(streams.map((streamId) => writeAnywhere([two], streamId)))
  await closing
  const slowest = Math.max(...times.map(({ took }) => took))
  expect(slowest).toBeLessThan(sessionTimeout - 1_000)
  for (const { result } of times) expect(result).toMatchObject({ outcome: 'appended', version: 2 })
})

test('an instance that dies: its partitions are served again soon after its session ends', async () => {
  const context = uniqueName()
  const survivor = await open(context)
  // All its connections end at once and it says no word: what a broker sees of kill -9.
  const driver = kafkajsDriver({ brokers: kafka.brokers })
  const dying = await open(context, ['order'], { driver: () => driver })
  await until(() => owned(survivor).length === 2 && owned(dying).length === 2)
  const told: [streamId: string, commandId: string][] = []
  const writing = streams.map(async (streamId) => {
    for (;;) {
      const commandId = randomUUID()
      try {
        await write(dying, streamId, commandId)
      } catch (error) {
        if (!isNarrativeError(error)) throw error
        return
      }
      told.push([streamId, commandId])
    }
  })
  await until(() => told.length > 300)
  await driver.close()
  const times = await Promise.all(streams.map((streamId) => writeAnywhere([survivor], streamId)))
  const slowest = Math.max(...times.map(({ took }) => took))
  expect(slowest).toBeLessThan(sessionTimeout + 6_000)
  await Promise.all(writing)
  const found = await histories(survivor)
  for (const [streamId, commandId] of told) expect(found.get(streamId)).toContain(commandId)
}, 60_000)

test('instances come and go under load: every acknowledged append is there once, in its place', async () => {
  const context = uniqueName()
  const stores = [await open(context)]
  const told: [streamId: string, version: number, commandId: string][] = []
  let stopped = false
  const writing = streams.map(async (streamId) => {
    while (!stopped) {
      const commandId = randomUUID()
      const { result } = await writeAnywhere(stores, streamId, commandId)
      if (result.outcome === 'appended') told.push([streamId, result.version, commandId])
    }
  })
  for (let round = 0; round < 3; round++) {
    stores.push(await open(context))
    const before = told.length
    await until(() => told.length > before + 300)
    await stores.shift()!.close()
  }
  stopped = true
  await Promise.all(writing)
  const found = await histories(stores[0]!)
  for (const [streamId, version, commandId] of told) expect(found.get(streamId)![version - 1]).toBe(commandId)
  const all = [...found.values()].flat()
  expect(new Set(all).size).toBe(all.length)
  expect(stores[0]!.status().reduce((sum, { voids }) => sum + voids, 0)).toBe(0)
}, 90_000)
