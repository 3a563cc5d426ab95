// Instances with names on a real broker: a quick restart after kill -9, and two processes under one name.
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
const opened = new Set<OpenStorage>()

afterEach(async () => {
  for (const store of opened) await store.close()
  opened.clear()
})

async function open(context: string, options: Partial<KafkaEventStoreOptions>): Promise<OpenStorage> {
  const all = { brokers: kafka.brokers, context, partitions, ...options }
  const store = await kafkaEventStore(all).open({ categories: ['order'], clock: systemClock, logger: silentLogger })
  opened.add(store)
  return store
}

const serving = (store: OpenStorage) => store.status().filter(({ state }) => state === 'serving').length
const write = (store: OpenStorage, streamId: string) =>
  store.eventStore.append(streamId, [anEvent()], { expectedVersion: 'any', metadata: metadata(randomUUID()) })

/** Milliseconds from the death of an instance, beside another one, until its successor serves what it had. */
async function restart(name: (instance: string) => string | undefined): Promise<number> {
  const context = uniqueName()
  const other = await open(context, { instanceId: name('other') })
  // All its connections end at once and it says no word: what a broker sees of kill -9.
  const driver = kafkajsDriver({ brokers: kafka.brokers })
  const dying = await open(context, { instanceId: name('killed'), driver: () => driver })
  await until(() => serving(other) === 2 && serving(dying) === 2)
  await driver.close()
  const began = performance.now()
  const next = await open(context, { instanceId: name('killed') })
  await until(() => serving(other) === 2 && serving(next) === 2)
  return performance.now() - began
}

test('killed and started again under its name, an instance goes on with what it had before its session ended', async () => {
  const named = await restart((instance) => instance)
  const nameless = await restart(() => undefined)
  const figure = { name: 'restart.named', milliseconds: Math.round(named), nameless: Math.round(nameless) }
  process.stdout.write(`${JSON.stringify(figure)}\n`)
  expect(named).toBeLessThan(5_500)
  expect(nameless).toBeGreaterThan(named)
}, 60_000)

test('a named instance that stops gives back what it has at once', async () => {
  const context = uniqueName()
  const one = await open(context, { instanceId: 'one' })
  const two = await open(context, { instanceId: 'two' })
  await until(() => serving(one) === 2 && serving(two) === 2)
  const began = performance.now()
  await one.close()
  await until(() => serving(two) === partitions)
  expect(performance.now() - began).toBeLessThan(5_000)
})

test('of two processes under one name the older one does no more work, and says why', async () => {
  const context = uniqueName()
  const older = await open(context, { instanceId: 'same' })
  await write(older, 'order-1')
  const newer = await open(context, { instanceId: 'same' })
  await write(newer, 'order-1')
  await expect(async () => {
    for await (const { version } of older.eventStore.read('order-1')) expect(version, 'a stale read').toBe(3)
  }).rejects.toSatisfy((error) => isNarrativeError(error, 'NOT_OWNER'))
  await until(() => !older.health().ready)
  expect(older.health().reasons[0]).toMatch(/Another process joined the group .* as "same"/)
  expect(serving(older)).toBe(0)
  expect(newer.health()).toEqual({ ready: true, reasons: [] })
  expect(serving(newer)).toBe(partitions)
  await older.close()
  await write(newer, 'order-1')
  expect(newer.health().ready).toBe(true)
})
