// What goes wrong between an application and a real broker, and what callers are told.
import { randomUUID } from 'node:crypto'
import { isNarrativeError, type OpenStorage, type RecordedEvent, silentLogger, systemClock } from '@narrative/core'
import { type KafkaBroker, type KafkaProxy, kafkaProxy, startKafka, uniqueName } from '@narrative/testing'
import { Kafka, logLevel } from 'kafkajs'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { kafkajsDriver } from './driver/kafkajs-driver.js'
import { kafkaEventStore } from './kafka-event-store.js'
import type { KafkaEventStoreOptions } from './options.js'
import { anEvent, codeOf, metadata, until } from './store.test-support.js'

const sasl = { username: 'teller', password: 'of-tales' }
let kafka: KafkaBroker
let proxy: KafkaProxy
const opened: OpenStorage[] = []

beforeAll(async () => {
  proxy = await kafkaProxy()
  kafka = await startKafka({ proxyPort: proxy.port, sasl })
  proxy.forwardTo({ port: kafka.proxyTarget! })
  await (await open()).close() // a fresh broker takes a while until it hands out its first identity
})
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close()
})
afterAll(async () => {
  await proxy.close()
  await kafka.stop()
})

async function open(options: Partial<KafkaEventStoreOptions> = {}): Promise<OpenStorage> {
  const all = { brokers: kafka.brokers, context: uniqueName(), partitions: 1, ...options }
  const context = { categories: ['order'], clock: systemClock, logger: silentLogger }
  const store = await kafkaEventStore(all).open(context)
  opened.push(store)
  return store
}

const throughProxy = (requestTimeout = 500) =>
  open({ driver: () => kafkajsDriver({ brokers: [`127.0.0.1:${proxy.port}`], requestTimeout }) })

const write = (store: OpenStorage, streamId: string, expectedVersion: number | 'any' = 'any', id = randomUUID()) =>
  store.eventStore.append(streamId, [anEvent()], { expectedVersion, metadata: metadata(id) })

/** The whole log, as another reader sees it. */
async function readAll(store: OpenStorage): Promise<RecordedEvent[]> {
  const ends = new Map((await store.eventLog.partitions('order')).map(({ partition, end }) => [partition, end]))
  const events: RecordedEvent[] = []
  for await (const batch of store.eventLog.subscribe({ categories: ['order'], from: 'start' })) {
    events.push(...batch.events)
    if (batch.checkpoint.offset >= ends.get(batch.partition)!) ends.delete(batch.partition)
    if (ends.size === 0) break
  }
  return events
}

function admin() {
  const client = new Kafka({ brokers: kafka.brokers, logLevel: logLevel.NOTHING }).admin()
  return { client, [Symbol.asyncDispose]: () => client.disconnect() }
}

/** Callers that append one after another until told to stop, and what they were told. */
function load(store: () => OpenStorage, callers: number) {
  const acknowledged = new Map<string, string>()
  const failed: string[] = []
  let stopped = false
  const caller = async (number: number) => {
    for (let n = 0; !stopped; n++) {
      const commandId = randomUUID()
      const streamId = `order-${number}-${n % 5}`
      try {
        const result = await write(store(), streamId, 'any', commandId)
        if (result.outcome === 'appended') acknowledged.set(commandId, `${streamId}@${result.version}`)
      } catch (error) {
        if (!isNarrativeError(error)) throw error
        failed.push(error.code)
        if (error.code === 'NOT_OWNER') return
      }
    }
  }
  const running = Array.from({ length: callers }, (_, number) => caller(number))
  const stop = async () => {
    stopped = true
    await Promise.all(running)
  }
  return { acknowledged, failed, stop }
}

/** Every acknowledged append is in the log exactly once, as it was acknowledged, and versions have no gaps. */
function expectOneHistory(events: readonly RecordedEvent[], acknowledged: ReadonlyMap<string, string>): void {
  const found = new Map<string, string>()
  const versions = new Map<string, number>()
  for (const { streamId, version, metadata } of events) {
    expect(found.has(metadata.commandId), 'an append is there twice').toBe(false)
    found.set(metadata.commandId, `${streamId}@${version}`)
    expect(version, streamId).toBe((versions.get(streamId) ?? 0) + 1)
    versions.set(streamId, version)
  }
  for (const [commandId, place] of acknowledged) expect(found.get(commandId)).toBe(place)
}

test.each([
  ['the connection is cut', true],
  ['nothing more is heard', false],
])('a lost answer, after which %s: the caller gets the truth, and the event is there once', async (_, cut) => {
  const store = await throughProxy()
  await write(store, 'order-1', 0)
  const rule = proxy.on('Produce').dropResponse({ cut })
  expect(await write(store, 'order-1', 1)).toMatchObject({ outcome: 'appended', version: 2, duplicate: false })
  await rule.happened
  expect(await write(store, 'order-1', 2)).toMatchObject({ version: 3 })
  expect((await readAll(store)).map(({ version }) => version)).toEqual([1, 2, 3])
  expect(store.status()[0]).toMatchObject({ state: 'serving', voids: 0 })
})

test('a lost request: appended once, by another attempt', async () => {
  const store = await throughProxy()
  const rule = proxy.on('Produce').dropRequest({ cut: true })
  expect(await write(store, 'order-1', 0)).toMatchObject({ outcome: 'appended', version: 1 })
  await rule.happened
  expect((await readAll(store)).map(({ version }) => version)).toEqual([1])
})

test('answers that come too late, under load, lose and double nothing', async () => {
  const store = await throughProxy(150)
  const { acknowledged, failed, stop } = load(() => store, 8)
  for (let round = 0; round < 3; round++) {
    const before = acknowledged.size
    await until(() => acknowledged.size > before + 50)
    const slow = proxy.on('Produce').delayResponses(300)
    await slow.happened
    slow.lift()
  }
  await stop()
  expect(failed).toEqual([])
  expectOneHistory(await readAll(store), acknowledged)
})

test('two rival owners under load, in groups that do not know of each other: the log holds one history', async () => {
  const context = uniqueName()
  const first = await open({ context })
  const loser = load(() => first, 8)
  await until(() => loser.acknowledged.size > 200)
  const second = await open({ context, group: uniqueName() })
  const winner = load(() => second, 8)
  const before = loser.acknowledged.size
  // Each is told by its own group that the partition is its own: they take turns, ever more rarely.
  await until(() => winner.acknowledged.size > 200 && loser.acknowledged.size > before + 50)
  await Promise.all([loser.stop(), winner.stop()])
  expect([...loser.failed, ...winner.failed]).toEqual([])
  expect(second.status()[0]).toMatchObject({ voids: 0 })
  expectOneHistory(await readAll(second), new Map([...loser.acknowledged, ...winner.acknowledged]))
})

test('a broker that is killed with -9 and restarted under load: everything goes on by itself', async () => {
  const store = await open({ partitions: 3 })
  const seen: RecordedEvent[] = []
  const stop = new AbortController()
  const subscribed = (async () => {
    for await (const batch of store.eventLog.subscribe({ categories: ['order'], from: 'start', signal: stop.signal })) {
      seen.push(...batch.events)
    }
  })()
  const { acknowledged, failed, stop: stopLoad } = load(() => store, 16)
  for (let round = 0; round < 2; round++) {
    const before = acknowledged.size
    await until(() => acknowledged.size > before + 300)
    await kafka.kill('SIGKILL')
    await until(() => !store.health().ready)
    await kafka.restart()
    await until(() => store.health().ready)
  }
  const before = acknowledged.size
  await until(() => acknowledged.size > before + 300)
  await stopLoad()
  expect(failed).toEqual([])
  const events = await readAll(store)
  expectOneHistory(events, acknowledged)
  expect(events).toHaveLength(acknowledged.size)
  await until(() => seen.length >= events.length)
  stop.abort()
  await subscribed
  expectOneHistory(seen, acknowledged)
}, 90_000)

test('an append too large for a batch fails alone, whoever notices', async () => {
  const context = uniqueName()
  const store = await open({ context })
  const append = (streamId: string, bytes: number) =>
    store.eventStore.append(streamId, [anEvent(Buffer.alloc(bytes))], {
      expectedVersion: 0,
      metadata: metadata(streamId),
    })
  expect(await codeOf(append('order-huge', 1_200_000))).toBe('APPEND_TOO_LARGE') // noticed before it is sent
  await using broker = admin()
  const configEntries = [{ name: 'max.message.bytes', value: '5000' }]
  const resource = { type: 2, name: `${context}.order.events`, configEntries }
  await broker.client.alterConfigs({ validateOnly: false, resources: [resource] })
  const outcomes = await Promise.all(
    [100, 100, 20_000, 100, 4_000].map(async (bytes, n) => (await codeOf(append(`order-${n}`, bytes))) ?? 'appended'),
  )
  expect(outcomes).toEqual(['appended', 'appended', 'APPEND_TOO_LARGE', 'appended', 'appended'])
  expect((await readAll(store)).map(({ streamId }) => streamId).sort()).toEqual([
    'order-0',
    'order-1',
    'order-3',
    'order-4',
  ])
})

test('a topic that would lose events is refused, with the reason and the remedy', async () => {
  const context = uniqueName()
  await using broker = admin()
  const configEntries = [
    { name: 'retention.ms', value: '604800000' },
    { name: 'cleanup.policy', value: 'compact' },
  ]
  await broker.client.createTopics({ topics: [{ topic: `${context}.order.events`, numPartitions: 1, configEntries }] })
  const opening = open({ context })
  await expect(opening).rejects.toMatchObject({
    code: 'TOPIC_REFUSED',
    message: expect.stringMatching(/cleanup\.policy=compact[\s\S]*retention\.ms=604800000/),
  })
})

test('partitions that were added later are refused: streams would have moved', async () => {
  const context = uniqueName()
  const store = await open({ context })
  await write(store, 'order-1')
  await store.close()
  await using broker = admin()
  await broker.client.createPartitions({ topicPartitions: [{ topic: `${context}.order.events`, count: 2 }] })
  await expect(open({ context })).rejects.toMatchObject({
    code: 'TOPIC_REFUSED',
    message: expect.stringMatching(/has 2 partitions but was begun with 1/),
  })
})

test('deleted events are noticed', async () => {
  const context = uniqueName()
  const topic = `${context}.order.events`
  const store = await open({ context })
  for (let n = 0; n < 5; n++) await write(store, 'order-1')
  await using broker = admin()
  await broker.client.fetchTopicOffsets(topic) // else kafkajs does not know its leaders
  await broker.client.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '3' }] })
  const reading = readAll(store)
  await expect(reading).rejects.toMatchObject({ code: 'LOG_TRUNCATED' })
  await expect(open({ context })).rejects.toMatchObject({
    code: 'TOPIC_REFUSED',
    message: expect.stringMatching(/offset 3/),
  })
})

test('a context that cannot be part of a topic’s name', async () => {
  await expect(open({ context: 'größe' })).rejects.toMatchObject({ code: 'TOPIC_INVALID' })
})

test('no broker at the start', async () => {
  const start = performance.now()
  await expect(open({ brokers: ['127.0.0.1:1'] })).rejects.toMatchObject({
    code: 'BROKER_UNREACHABLE',
    message: expect.stringMatching(/127\.0\.0\.1:1/),
  })
  expect(performance.now() - start).toBeLessThan(10_000)
})

test('credentials: the right ones serve, the wrong ones are refused without being shown', async () => {
  const brokers = kafka.saslBrokers!
  const store = await open({ brokers, sasl: { mechanism: 'plain', ...sasl } })
  expect(await write(store, 'order-1', 0)).toMatchObject({ version: 1 })
  const wrong = open({ brokers, sasl: { mechanism: 'plain', username: 'teller', password: 'guess-work' } })
  const error = await wrong.catch((reason: Error) => reason)
  expect(error).toMatchObject({ code: 'BROKER_REFUSED' })
  expect(String(error)).not.toMatch(/guess-work/)
})

test('a plain consumer can read the story', async () => {
  const context = uniqueName()
  const store = await open({ context })
  const event = anEvent(JSON.stringify({ total: 12 }))
  await store.eventStore.append('order-1', [event], { expectedVersion: 0, metadata: metadata('c1') })
  const consumer = new Kafka({ brokers: kafka.brokers, logLevel: logLevel.NOTHING }).consumer({ groupId: uniqueName() })
  await consumer.connect()
  await consumer.subscribe({ topic: `${context}.order.events`, fromBeginning: true })
  const read: Record<string, unknown>[] = []
  await consumer.run({
    eachMessage: async ({ message }) => {
      const headers = Object.entries(message.headers ?? {}).map(([name, value]) => [name, String(value)])
      read.push({
        key: message.key?.toString(),
        value: JSON.parse(String(message.value)),
        ...Object.fromEntries(headers),
      })
    },
  })
  await until(() => read.length === 2)
  await consumer.disconnect()
  expect(read[0]).toMatchObject({
    value: { narrative: 'claim', partitions: 1 },
    nv: expect.stringMatching(/^claim \S+ 1$/),
  })
  expect(read[1]).toMatchObject({
    key: 'order-1',
    value: { total: 12 },
    ce_id: event.id,
    ce_type: 'order.placed',
    ce_subject: 'order-1',
    nv: expect.stringMatching(/^1 1 0\/1 \S+ c1 = =$/),
  })
})
