// Batches and fetches that share a request, through a proxy that counts and delays them.
import { type KafkaBroker, type KafkaProxy, kafkaProxy, startKafka, uniqueName } from '@narrative/testing'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { KafkaDriver, ProduceOutcome, ProducerIdentity, RecordBatch } from './kafka-driver.js'
import { kafkajsDriver } from './kafkajs-driver.js'

const partitions = 6
let kafka: KafkaBroker
let proxy: KafkaProxy
let driver: KafkaDriver
let topic: string
let identity: ProducerIdentity

beforeAll(async () => {
  proxy = await kafkaProxy()
  kafka = await startKafka({ proxyPort: proxy.port })
  proxy.forwardTo({ port: kafka.proxyTarget! })
  driver = kafkajsDriver({ brokers: [`127.0.0.1:${proxy.port}`] })
})
beforeEach(async () => {
  topic = uniqueName()
  await driver.createTopic({ name: topic, partitions, replicationFactor: 1, settings: { 'max.message.bytes': '1000' } })
  identity = await driver.initProducerId(topic)
  await Promise.all(all.map((partition) => driver.offsets(topic, partition))) // the leaders are known
})
afterAll(async () => {
  await driver.close()
  await proxy.close()
  await kafka.stop()
})

const all = Array.from({ length: partitions }, (_, partition) => partition)

test('the batches of a moment travel in one request, and each has its own outcome', async () => {
  const older = identity
  identity = await driver.initProducerId(topic)
  const newer = await untilQuick(1, 'newer')
  const before = proxy.seen('Produce')
  const outcomes = await Promise.all([
    driver.produce(batch(0, 0, 'good')),
    driver.produce({ ...batch(1, 1, 'zombie'), identity: older }),
    driver.produce(batch(2, 0, 'x'.repeat(2_000))),
    driver.produce(batch(3, 5, 'with a gap before it')),
    driver.produce(batch(4, 0, 'also good')),
  ])
  expect(proxy.seen('Produce')).toBe(before + 1)
  expect(outcomes.map(short)).toEqual(['done', 'fenced', 'too-large', 'done', 'done'])
  expect(await contents()).toEqual([['good'], newer, [], ['with a gap before it'], ['also good'], []])
})

test('two batches of one partition never share a request', async () => {
  const other = { ...batch(0, 0, 'other'), identity: await driver.initProducerId(uniqueName()) }
  const outcomes = await Promise.all([driver.produce(batch(0, 0, 'one')), driver.produce(other)])
  expect(outcomes.map(short)).toEqual(['done', 'done'])
  expect((await contents())[0]!.sort()).toEqual(['one', 'other'])
})

test('when the answer is lost, each batch is unknown, and each is in the log once', async () => {
  proxy.on('Produce').dropResponse({ cut: true })
  const outcomes = await Promise.all(all.map((partition) => driver.produce(batch(partition, 0, `p${partition}`))))
  expect(outcomes.map(short)).toEqual(all.map(() => 'unknown'))
  expect(await contents()).toEqual(all.map((partition) => [`p${partition}`]))
})

test('a slow partition holds up nobody but those that were under way with it', async () => {
  const slow = proxy.on('Produce').delayResponses(4_000)
  let back = false
  const held = Promise.all([driver.produce(batch(0, 0, 'slow')), driver.produce(batch(1, 0, 'with it'))])
  void held.then(() => {
    back = true
  })
  await slow.happened
  slow.lift()
  for (let n = 0; n < 10; n++) {
    await Promise.all([2, 3].map((partition) => driver.produce(batch(partition, n, `${n}`))))
  }
  expect(back).toBe(false)
  expect((await held).map(short)).toEqual(['done', 'done'])

  // The slow ones travel alone, until they are quick again.
  let sequence = 1
  const round = async () => {
    const before = proxy.seen('Produce')
    await Promise.all([0, 1].map((partition) => driver.produce(batch(partition, sequence, 'after'))))
    sequence++
    return proxy.seen('Produce') - before
  }
  expect(await round()).toBe(2)
  await expect.poll(round).toBe(1)
})

test('slow requests do not use up the places of the others', async () => {
  const slow = proxy.on('Produce').delayResponses(4_000)
  let back = 0
  const held: Promise<ProduceOutcome>[] = []
  for (const partition of [0, 1, 2]) {
    held.push(driver.produce(batch(partition, 0, 'slow')).finally(() => back++))
    await expect.poll(() => slow.times).toBe(held.length) // its answer is there, and held back
  }
  slow.lift()
  expect(await driver.produce(batch(5, 0, 'quick'))).toMatchObject({ outcome: 'done' })
  expect(back).toBe(0)
  expect((await Promise.all(held)).map(short)).toEqual(['done', 'done', 'done'])
})

test('followers of a moment share a fetch: a record for one of them ends the wait of all', async () => {
  await driver.produce(batch(0, 0, 'there'))
  const before = proxy.seen('Fetch')
  const [first, second, beyond] = await Promise.all([
    follow(0),
    follow(1),
    follow(2, 7).catch((error: unknown) => error),
  ])
  expect(proxy.seen('Fetch')).toBe(before + 1)
  expect(first).toMatchObject({ nextOffset: 1, highWatermark: 1 })
  expect(second).toMatchObject({ nextOffset: 0, highWatermark: 0, records: [] })
  expect(beyond).toMatchObject({ code: 'LOG_TRUNCATED', details: { partition: 2, start: 0, end: 0 } })

  const waiting = Promise.all([follow(0, 1), follow(1)])
  await expect.poll(() => proxy.seen('Fetch')).toBe(before + 2)
  await driver.produce(batch(1, 0, 'awaited'))
  const [nothing, awaited] = await waiting
  expect(nothing).toMatchObject({ nextOffset: 1, records: [] })
  expect(awaited.records.map(({ value }) => String(value))).toEqual(['awaited'])
})

/** Writes until the partition's last answer was not slow, and gives what it holds. */
async function untilQuick(partition: number, value: string): Promise<string[]> {
  for (let sequence = 0; ; sequence++) {
    const start = performance.now()
    expect(await driver.produce(batch(partition, sequence, value))).toMatchObject({ outcome: 'done' })
    if (performance.now() - start < 150) return Array.from({ length: sequence + 1 }, () => value)
  }
}

function follow(partition: number, offset = 0) {
  return driver.fetch({ topic, partition, offset, maxBytes: 100_000, maxWait: 20_000, shared: true })
}

function batch(partition: number, sequence: number, value: string): RecordBatch {
  const records = [{ key: Buffer.from('k'), value: Buffer.from(value), headers: [] }]
  return { topic, partition, identity, sequence, time: Date.now(), records }
}

function short(outcome: ProduceOutcome): string {
  return outcome.outcome === 'not-done' ? outcome.reason : outcome.outcome
}

function contents(): Promise<string[][]> {
  return Promise.all(
    all.map(async (partition) => {
      const { records } = await driver.fetch({ topic, partition, offset: 0, maxBytes: 100_000, maxWait: 10 })
      return records.map(({ value }) => String(value))
    }),
  )
}
