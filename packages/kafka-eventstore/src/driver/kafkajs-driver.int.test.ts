import { startKafka, uniqueName } from '@narrative/testing'
import kafkajs from 'kafkajs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { KafkaDriver, ProducerIdentity, RecordBatch } from './kafka-driver.js'
import { kafkajsDriver } from './kafkajs-driver.js'

let brokers: string[]
let driver: KafkaDriver

beforeAll(async () => {
  brokers = (await startKafka()).brokers
  driver = kafkajsDriver({ brokers })
  await driver.connect()
})
afterAll(() => driver.close())

test('what was appended is read back: offsets, times, keys, values and headers', async () => {
  const topic = await newTopic()
  const identity = await driver.initProducerId(topic)
  const headers = [
    { key: 'ce_id', value: 'é1' },
    { key: 'n', value: Buffer.from([1, 2]) },
  ]
  const records = [
    { key: Buffer.from('a'), value: Buffer.from('one'), headers },
    { key: null, value: null, headers: [] },
  ]
  const sent = { topic, partition: 1, identity, sequence: 0, time: 1_700_000_000_123, records }
  expect(await driver.produce(sent)).toEqual({ outcome: 'done', baseOffset: 0 })
  expect(await driver.produce({ ...sent, sequence: 2 })).toEqual({ outcome: 'done', baseOffset: 2 })

  const read = await driver.fetch({ topic, partition: 1, offset: 0, maxBytes: 1_000_000, maxWait: 500 })
  expect(read.nextOffset).toBe(4)
  expect(read.highWatermark).toBe(4)
  expect(read.records.map(({ offset, time }) => [offset, time])).toEqual(
    [0, 1, 2, 3].map((offset) => [offset, 1_700_000_000_123]),
  )
  expect(read.records.map(({ key }) => key?.toString())).toEqual(['a', undefined, 'a', undefined])
  expect(read.records[2]!.value!.toString()).toBe('one')
  expect(read.records[2]!.header('ce_id')).toBe('é1')
  expect(read.records[2]!.header('n')).toBe('\u0001\u0002')
  expect(await driver.offsets(topic, 1)).toEqual({ start: 0, end: 4 })
  expect(await driver.offsets(topic, 0)).toEqual({ start: 0, end: 0 })
})

test('after a new claim wrote, the older identity is fenced, and nothing of it is in the log', async () => {
  const topic = await newTopic()
  const older = await driver.initProducerId(topic)
  await expectDone(batch(topic, older, 0, 'older'))
  const newer = await driver.initProducerId(topic)
  expect(newer.producerId).toBe(older.producerId)
  expect(newer.epoch).toBeGreaterThan(older.epoch)
  await expectDone(batch(topic, newer, 0, 'newer'))
  expect(await driver.produce(batch(topic, older, 1, 'zombie'))).toMatchObject({
    outcome: 'not-done',
    reason: 'fenced',
  })
  expect(await valuesOf(topic)).toEqual(['older', 'newer'])
})

test('the same sequence twice is in the log once, and both sends learn where', async () => {
  const topic = await newTopic()
  const identity = await driver.initProducerId(topic)
  await expectDone(batch(topic, identity, 0, 'first'))
  const twice = batch(topic, identity, 1, 'twice')
  expect(await driver.produce(twice)).toEqual({ outcome: 'done', baseOffset: 1 })
  expect(await driver.produce(twice)).toEqual({ outcome: 'done', baseOffset: 1 })
  expect(await valuesOf(topic)).toEqual(['first', 'twice'])
})

test('a gap in the sequence is unknown: the broker remembers another history than the sender', async () => {
  const topic = await newTopic()
  const identity = await driver.initProducerId(topic)
  await expectDone(batch(topic, identity, 0, 'first'))
  expect(await driver.produce(batch(topic, identity, 7, 'later'))).toMatchObject({ outcome: 'unknown' })
})

test('a batch over the topic’s limit is certainly not done', async () => {
  const topic = await newTopic({ 'max.message.bytes': '1000' })
  const identity = await driver.initProducerId(topic)
  const outcome = await driver.produce(batch(topic, identity, 0, 'x'.repeat(2000)))
  expect(outcome).toMatchObject({ outcome: 'not-done', reason: 'too-large' })
  await expectDone(batch(topic, identity, 0, 'small'))
})

test('a topic that is not there is certainly not written to', async () => {
  const topic = uniqueName()
  const identity = await driver.initProducerId(topic)
  expect(await driver.produce(batch(topic, identity, 0, 'lost'))).toMatchObject({
    outcome: 'not-done',
    reason: 'retry',
  })
})

test('a fetch outside the log says what the log holds', async () => {
  const topic = await newTopic()
  const identity = await driver.initProducerId(topic)
  await expectDone(batch(topic, identity, 0, 'only'))
  await expect(fetchFrom(topic, 5)).rejects.toMatchObject({
    code: 'LOG_TRUNCATED',
    message: expect.stringContaining('which holds 0 to 1'),
    details: { topic, partition: 0, offset: 5, start: 0, end: 1 },
  })
  expect(await fetchFrom(topic, 1)).toMatchObject({ records: [], nextOffset: 1 })
})

test('a record larger than asked for is still delivered', async () => {
  const topic = await newTopic()
  const identity = await driver.initProducerId(topic)
  await expectDone(batch(topic, identity, 0, 'x'.repeat(50_000)))
  const { records } = await driver.fetch({ topic, partition: 0, offset: 0, maxBytes: 100, maxWait: 500 })
  expect(records[0]!.value!.length).toBe(50_000)
})

test('creating a topic twice leaves it as it is; describing tells its effective settings', async () => {
  const name = uniqueName()
  const settings = { 'retention.ms': '-1' }
  await driver.createTopic({ name, partitions: 3, replicationFactor: -1, settings })
  await driver.createTopic({ name, partitions: 5, replicationFactor: 1, settings: { 'retention.ms': '1' } })
  const described = await driver.describeTopics([name, uniqueName('absent')])
  expect([...described.keys()]).toEqual([name])
  expect(described.get(name)).toMatchObject({ name, partitions: 3, replicationFactor: 1 })
  expect(described.get(name)!.settings).toMatchObject({ 'retention.ms': '-1', 'cleanup.policy': 'delete' })
})

test('an illegal topic name is refused with the broker’s reason', async () => {
  const topic = { name: 'an order', partitions: 1, replicationFactor: 1, settings: {} }
  await expect(driver.createTopic(topic)).rejects.toMatchObject({
    code: 'TOPIC_INVALID',
    message: expect.stringContaining('ASCII alphanumerics'),
  })
})

test('gzip batches of another client are read, from the middle too', async () => {
  const topic = await newTopic()
  const producer = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING }).producer()
  await producer.connect()
  const messages = Array.from({ length: 500 }, (_, n) => ({
    partition: 0,
    value: `value ${n}`,
    headers: { n: `${n}` },
  }))
  await producer.send({ topic, messages, acks: -1, compression: kafkajs.CompressionTypes.GZIP })
  await producer.disconnect()
  const { nextOffset, records } = await fetchFrom(topic, 250)
  expect(nextOffset).toBe(500)
  expect(records.map(({ offset, value }) => `${offset} ${value}`)).toEqual(
    messages.slice(250).map(({ value }, i) => `${250 + i} ${value}`),
  )
  expect(records[0]!.header('n')).toBe('250')
})

test('control records are skipped, and the next fetch starts past them', async () => {
  const topic = await newTopic()
  const client = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING })
  const producer = client.producer({ transactionalId: uniqueName(), maxInFlightRequests: 1, idempotent: true })
  await producer.connect()
  const transaction = await producer.transaction()
  await transaction.send({ topic, messages: [{ partition: 0, value: 'in a transaction' }] })
  await transaction.commit()
  await producer.disconnect()
  const { records } = await fetchFrom(topic, 0)
  expect(records.map(({ value }) => String(value))).toEqual(['in a transaction'])
  expect(await fetchFrom(topic, 1)).toMatchObject({ records: [], nextOffset: 2 })
})

test('a waiting fetch ends at once when it is aborted, and a waiting one does not hold up others', async () => {
  const topic = await newTopic()
  const patient = new AbortController()
  const waiting = driver.fetch({
    topic,
    partition: 0,
    offset: 0,
    maxBytes: 1000,
    maxWait: 20_000,
    signal: patient.signal,
  })
  const identity = await driver.initProducerId(topic)
  await expectDone({ ...batch(topic, identity, 0, 'beside'), partition: 1 })
  const beside = await driver.fetch({ topic, partition: 1, offset: 0, maxBytes: 1000, maxWait: 20_000 })
  expect(beside.records.length).toBe(1)
  patient.abort(new Error('enough'))
  await expect(waiting).rejects.toThrow('enough')
})

test('closing ends what is in flight and refuses what comes after', async () => {
  const topic = await newTopic()
  const own = kafkajsDriver({ brokers })
  await own.connect()
  const identity = await own.initProducerId(topic)
  const waiting = own.fetch({ topic, partition: 0, offset: 0, maxBytes: 1000, maxWait: 20_000 })
  const ended = expect(waiting).rejects.toMatchObject({ code: 'STORE_CLOSED' })
  await own.offsets(topic, 0)
  const start = performance.now()
  await own.close()
  await ended
  expect(performance.now() - start).toBeLessThan(10_000)
  await expect(own.offsets(topic, 0)).rejects.toMatchObject({ code: 'STORE_CLOSED' })
  expect(await own.produce(batch(topic, identity, 0, 'late'))).toMatchObject({
    outcome: 'not-done',
    reason: 'refused',
    error: { code: 'STORE_CLOSED' },
  })
  await own.close()
})

async function newTopic(settings: Record<string, string> = {}): Promise<string> {
  const name = uniqueName()
  await driver.createTopic({ name, partitions: 2, replicationFactor: 1, settings })
  return name
}

function batch(topic: string, identity: ProducerIdentity, sequence: number, value: string): RecordBatch {
  const records = [{ key: Buffer.from('k'), value: Buffer.from(value), headers: [] }]
  return { topic, partition: 0, identity, sequence, time: Date.now(), records }
}

async function expectDone(batch: RecordBatch): Promise<void> {
  expect(await driver.produce(batch)).toMatchObject({ outcome: 'done' })
}

function fetchFrom(topic: string, offset: number) {
  return driver.fetch({ topic, partition: 0, offset, maxBytes: 1_000_000, maxWait: 100 })
}

async function valuesOf(topic: string): Promise<string[]> {
  return (await fetchFrom(topic, 0)).records.map(({ value }) => String(value))
}
