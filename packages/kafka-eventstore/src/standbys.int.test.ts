// Standbys on a real broker: partitions pass to whoever has read them, at once and without a pause.
import { randomUUID } from 'node:crypto'
import { isNarrativeError, type OpenStorage, type PartitionStatus, silentLogger, systemClock } from '@narrative/core'
import { startKafka, uniqueName } from '@narrative/testing'
import { afterEach, expect, test } from 'vitest'
import { kafkaEventStore } from './kafka-event-store.js'
import type { KafkaEventStoreOptions } from './options.js'
import { anEvent, metadata, until } from './store.test-support.js'

const kafka = await startKafka()
const opened = new Set<OpenStorage>()

afterEach(async () => {
  for (const store of opened) await store.close()
  opened.clear()
})

async function open(context: string, options: Partial<KafkaEventStoreOptions>): Promise<OpenStorage> {
  const all = { brokers: kafka.brokers, context, ...options }
  const store = await kafkaEventStore(all).open({ categories: ['order'], clock: systemClock, logger: silentLogger })
  opened.add(store)
  return store
}

const inState = (store: OpenStorage, state: PartitionStatus['state']) =>
  store.status().filter((row) => row.state === state)
const follows = (store: OpenStorage, end: number) =>
  inState(store, 'following').some(({ offset, lag }) => offset >= end && lag === 0)

const write = (store: OpenStorage, streamId: string, events = 1) => {
  const some = Array.from({ length: events }, () => anEvent())
  return store.eventStore.append(streamId, some, { expectedVersion: 'any', metadata: metadata(randomUUID()) })
}

/** Many events in few appends. */
async function longHistory(store: OpenStorage, events: number): Promise<number> {
  const each = 200
  const streams = Array.from({ length: events / each }, (_, n) => `order-${n}`)
  for (let at = 0; at < streams.length; at += 50) {
    await Promise.all(streams.slice(at, at + 50).map((streamId) => write(store, streamId, each)))
  }
  return (await store.eventLog.partitions('order'))[0]!.end
}

/** Milliseconds until a store takes an append. */
async function untilServed(store: OpenStorage): Promise<number> {
  const began = performance.now()
  for (;;) {
    try {
      await write(store, 'order-0')
      return performance.now() - began
    } catch (error) {
      if (!isNarrativeError(error, 'NOT_OWNER') || performance.now() - began > 60_000) throw error
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
  }
}

async function takeover(standbys: number, events: number): Promise<number> {
  const context = uniqueName()
  const options = { partitions: 1, standbys }
  const one = await open(context, options)
  const end = await longHistory(one, events)
  const two = await open(context, options)
  if (standbys > 0) await until(() => follows(two, end))
  expect(inState(two, 'following')).toHaveLength(standbys)
  await one.close()
  const took = await untilServed(two)
  await two.close()
  return took
}

test('a standby takes a long partition over by reading only the tail', async () => {
  const events = 200_000
  const cold = await takeover(0, events)
  const warm = await takeover(1, events)
  const figure = { name: 'takeover.with-standby', events, milliseconds: Math.round(warm), without: Math.round(cold) }
  process.stdout.write(`${JSON.stringify(figure)}\n`)
  expect(warm).toBeLessThan(cold / 2)
}, 180_000)

test('a newcomer reads first: what is served stays where it is until then, and is served all the while', async () => {
  const context = uniqueName()
  const one = await open(context, { partitions: 2 })
  await longHistory(one, 100_000)
  const streams = Array.from({ length: 20 }, (_, n) => `order-${n}`)
  const stores = [one]
  const gaps: number[] = []
  let stopped = false
  const writing = streams.map(async (streamId) => {
    for (let began = performance.now(); !stopped; ) {
      for (const store of stores) {
        try {
          await write(store, streamId)
          gaps.push(performance.now() - began)
          began = performance.now()
          break
        } catch (error) {
          if (!isNarrativeError(error) || !error.retryable) throw error
        }
      }
      await new Promise((resolve) => setImmediate(resolve))
    }
  })
  const two = await open(context, { partitions: 2 })
  stores.push(two)
  expect(inState(two, 'serving')).toEqual([])
  expect(inState(two, 'following')).toHaveLength(1)
  expect(inState(one, 'serving')).toHaveLength(2)
  await until(() => inState(two, 'serving').length === 1 && inState(one, 'serving').length === 1)
  const before = gaps.length
  await until(() => gaps.length > before + 200)
  stopped = true
  await Promise.all(writing)
  expect(Math.max(...gaps)).toBeLessThan(3_000)
  expect([...inState(one, 'following'), ...inState(two, 'following')]).toEqual([])
}, 120_000)

test('a standby of a partition that its owner gave up is told so, and another follows it then', async () => {
  const context = uniqueName()
  const stores = [await open(context, { partitions: 4, standbys: 1 })]
  for (let n = 0; n < 2; n++) stores.push(await open(context, { partitions: 4, standbys: 1 }))
  const settled = () =>
    stores.flatMap((store) => inState(store, 'serving')).length === 4 &&
    stores.flatMap((store) => inState(store, 'following')).length === 4 &&
    stores.every((store) => inState(store, 'serving').length >= 1)
  await until(settled)
  const places = (state: PartitionStatus['state']) =>
    stores.flatMap((store, n) => inState(store, state).map(({ partition }) => `${partition} at ${n}`))
  for (const place of places('following')) expect(places('serving')).not.toContain(place)
  await stores.shift()!.close()
  await until(() => stores.flatMap((store) => inState(store, 'serving')).length === 4)
  await until(() => stores.every((store) => inState(store, 'following').length === 2))
}, 60_000)

test('a read of the replica says how fresh it is, at the owner and at a standby', async () => {
  const context = uniqueName()
  const options = { partitions: 1, standbys: 1 }
  const one = await open(context, options)
  const stores = [await open(context, options), await open(context, options)]
  await until(() => stores.some((store) => follows(store, 1)))
  const standby = stores.find((store) => inState(store, 'following').length === 1)!
  const idle = stores.find((store) => store !== standby)!
  /** Where the events of the stream are, by version. */
  const offsets: number[] = []
  let stopped = false
  const writing = (async () => {
    while (!stopped) {
      const result = await write(one, 'order-1')
      if (result.outcome === 'appended') offsets.push(result.position.offset)
    }
  })()
  for (let reads = 0; reads < 200 || offsets.length < 50; reads++) {
    for (const store of [one, standby]) {
      const { events, checkpoint } = (await store.eventStore.readReplica!('order-1'))!
      const seen = [...events].map(({ position }) => position.offset)
      for (const offset of seen) expect(offset).toBeLessThan(checkpoint.offset)
      expect(seen.slice(0, offsets.length)).toEqual(offsets.filter((offset) => offset < checkpoint.offset))
    }
    await new Promise((resolve) => setImmediate(resolve))
  }
  stopped = true
  await writing
  await until(() => follows(standby, offsets.at(-1)! + 1))
  const { events, checkpoint } = (await standby.eventStore.readReplica!('order-1', { from: 2, to: 3 }))!
  expect(checkpoint).toMatchObject({ topic: `${context}.order.events`, partition: 0, offset: offsets.at(-1)! + 1 })
  expect([...events].map(({ version }) => version)).toEqual([2, 3])
  expect(await idle.eventStore.readReplica!('order-1')).toBeUndefined()
  await expect(async () => {
    for await (const _ of standby.eventStore.read('order-1')) expect.unreachable('it is not the owner')
  }).rejects.toMatchObject({ code: 'NOT_OWNER' })
}, 60_000)
