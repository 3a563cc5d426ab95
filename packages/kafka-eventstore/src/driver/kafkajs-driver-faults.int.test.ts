import { type KafkaBroker, type KafkaProxy, kafkaProxy, startKafka, uniqueName } from '@narrative/testing'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { KafkaDriver, ProducerIdentity, RecordBatch } from './kafka-driver.js'
import { kafkajsDriver } from './kafkajs-driver.js'

const sasl = { username: 'teller', password: 'of-tales' }
const cleanups: (() => unknown)[] = []
let kafka: KafkaBroker
let proxy: KafkaProxy
let direct: KafkaDriver

beforeAll(async () => {
  proxy = await kafkaProxy()
  kafka = await startKafka({ proxyPort: proxy.port, sasl })
  proxy.forwardTo({ port: kafka.proxyTarget! })
  direct = kafkajsDriver({ brokers: kafka.brokers })
})
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup()
})
afterAll(async () => {
  await direct.close()
  await proxy.close()
  await kafka.stop()
})

test.each([
  ['and the connection cut', true],
  ['while the connection stays', false],
])('a produce whose answer is lost, %s, is unknown; it was sent once and stands in the log once', async (_, cut) => {
  const { driver, identity, topic } = await proxied({ requestTimeout: 300 })
  expect(await driver.produce(batch(topic, identity, 0, 'first'))).toMatchObject({ outcome: 'done' })
  const sentBefore = proxy.seen('Produce')
  const connected = proxy.seen('ApiVersions')
  proxy.on('Produce').dropResponse({ cut })
  expect(await driver.produce(batch(topic, identity, 1, 'unanswered'))).toMatchObject({
    outcome: 'unknown',
    error: { code: 'BROKER_UNREACHABLE' },
  })
  expect(proxy.seen('Produce')).toBe(sentBefore + 1)
  expect(await valuesOf(topic)).toEqual(['first', 'unanswered'])
  expect(await driver.produce(batch(topic, identity, 2, 'next'))).toMatchObject({ outcome: 'done', baseOffset: 2 })
  expect(proxy.seen('ApiVersions')).toBeGreaterThan(connected) // a silent connection is not trusted again
})

test('what is not answered is given up in time, also when the wall clock is set back meanwhile', async () => {
  const { driver, identity, topic } = await proxied({ requestTimeout: 300 })
  expect(await driver.produce(batch(topic, identity, 0, 'first'))).toMatchObject({ outcome: 'done' })
  await driver.offsets(topic, 0)
  const hole = proxy.blackHole('answer')
  const unanswered = driver.produce(batch(topic, identity, 1, 'unanswered'))
  const asked = driver.offsets(topic, 0)
  asked.catch(() => {}) // asserted below
  await hole.happened
  const now = Date.now
  cleanups.push(() => {
    Date.now = now
    hole.lift()
  })
  Date.now = () => now() - 3 * 3_600_000
  const start = performance.now()
  expect(await unanswered).toMatchObject({ outcome: 'unknown' })
  await expect(asked).rejects.toMatchObject({ code: 'BROKER_UNREACHABLE' })
  expect(performance.now() - start).toBeLessThan(30_000)
})

test('a produce that the broker never saw is unknown too: the sender cannot tell', async () => {
  const { driver, identity, topic } = await proxied()
  proxy.on('Produce').dropRequest({ cut: true })
  expect(await driver.produce(batch(topic, identity, 0, 'lost'))).toMatchObject({ outcome: 'unknown' })
  expect(await valuesOf(topic)).toEqual([])
})

test('after all connections were cut, everything works again at once', async () => {
  const { driver, identity, topic } = await proxied()
  expect(await driver.produce(batch(topic, identity, 0, 'before'))).toMatchObject({ outcome: 'done' })
  const waiting = driver.fetch({ topic, partition: 0, offset: 1, maxBytes: 1000, maxWait: 10_000 })
  await driver.offsets(topic, 0)
  proxy.cut()
  const start = performance.now()
  const outcome = await driver.produce(batch(topic, identity, 1, 'after'))
  // Whether the cut is noticed before or after the write is the network's choice; neither may be called done.
  if (outcome.outcome !== 'done') {
    expect(outcome.outcome === 'unknown' || outcome.reason === 'retry').toBe(true)
    expect(await driver.produce(batch(topic, identity, 1, 'after'))).toMatchObject({ outcome: 'done', baseOffset: 1 })
  }
  expect((await waiting).records.map(({ value }) => String(value))).toEqual(['after'])
  expect(performance.now() - start).toBeLessThan(9_000)
})

test('a claim and a read whose answers are lost are repeated', async () => {
  const { driver, topic } = await proxied()
  const before = await driver.initProducerId(topic)
  proxy.on('InitProducerId').dropResponse({ cut: true })
  proxy.on('Fetch').dropResponse({ cut: true })
  expect((await driver.initProducerId(topic)).epoch).toBe(before.epoch + 2)
  expect(await driver.fetch({ topic, partition: 0, offset: 0, maxBytes: 1000, maxWait: 10 })).toMatchObject({
    nextOffset: 0,
  })
})

test('a read that gets no answer ends with what to check', async () => {
  const { driver, topic } = await proxied({ requestTimeout: 300 })
  const hole = proxy.blackHole()
  const reading = driver.fetch({ topic, partition: 0, offset: 0, maxBytes: 1000, maxWait: 10 })
  await expect(reading).rejects.toMatchObject({ code: 'BROKER_UNREACHABLE', message: expect.stringContaining(topic) })
  hole.lift()
  expect(await driver.offsets(topic, 0)).toEqual({ start: 0, end: 0 })
})

test('a broker that swallows everything is given up within the connection timeout', async () => {
  const hole = proxy.blackHole()
  const driver = toClose(kafkajsDriver({ brokers: [`127.0.0.1:${proxy.port}`], connectionTimeout: 400 }))
  const start = performance.now()
  await expect(driver.connect()).rejects.toMatchObject({ code: 'BROKER_UNREACHABLE' })
  expect(performance.now() - start).toBeLessThan(8_000)
  hole.lift()
})

test('no broker at the start is an error that names every address and what to check', async () => {
  const brokers = ['127.0.0.1:1', 'localhost:2']
  const driver = toClose(kafkajsDriver({ brokers, connectionTimeout: 300 }))
  const start = performance.now()
  await expect(driver.connect()).rejects.toMatchObject({
    code: 'BROKER_UNREACHABLE',
    message: expect.stringMatching(
      /127\.0\.0\.1:1 failed: .*ECONNREFUSED.*Brokers given: 127\.0\.0\.1:1, localhost:2\. Check/,
    ),
  })
  await expect(driver.connect()).rejects.toThrow(/localhost:2 failed: .*ECONNREFUSED/)
  expect(performance.now() - start).toBeLessThan(8_000)
})

test('credentials are accepted, or refused by name and never by password', async () => {
  const brokers = kafka.saslBrokers!
  const right = toClose(kafkajsDriver({ brokers, sasl: { mechanism: 'plain', ...sasl } }))
  await right.connect()
  expect((await right.initProducerId(uniqueName())).epoch).toBe(0)

  const wrong = toClose(
    kafkajsDriver({ brokers, sasl: { mechanism: 'plain', username: 'teller', password: 'secret' } }),
  )
  const refused = await wrong.connect().catch((error: Error) => error)
  expect(refused).toMatchObject({
    code: 'BROKER_REFUSED',
    message: expect.stringMatching(/refused SASL plain for user 'teller'/),
  })
  expect(`${(refused as Error).stack} ${JSON.stringify(refused)}`).not.toContain('secret')

  const scram = { mechanism: 'scram-sha-256', username: 'teller', password: 'secret' } as const
  await expect(toClose(kafkajsDriver({ brokers, sasl: scram })).connect()).rejects.toMatchObject({
    code: 'BROKER_REFUSED',
    message: expect.stringContaining('scram-sha-256'),
  })
  const none = toClose(kafkajsDriver({ brokers, connectionTimeout: 400 }))
  await expect(none.connect()).rejects.toMatchObject({
    code: 'BROKER_UNREACHABLE',
    message: expect.stringContaining('SASL settings'),
  })
})

test('a broker killed with -9 and restarted on its port goes on: the identity is still fenced by the newer one', async () => {
  const topic = uniqueName()
  await direct.createTopic({ name: topic, partitions: 1, replicationFactor: 1, settings: {} })
  const older = await direct.initProducerId(topic)
  const newer = await direct.initProducerId(topic)
  expect(await direct.produce(batch(topic, newer, 0, 'before'))).toMatchObject({ outcome: 'done' })

  await kafka.kill('SIGKILL')
  const whileDown = await direct.produce(batch(topic, newer, 1, 'while down'))
  expect(whileDown).toMatchObject({ outcome: 'not-done', reason: 'retry' })
  const reading = direct.fetch({ topic, partition: 0, offset: 0, maxBytes: 1000, maxWait: 100 })
  await kafka.restart()

  expect((await reading).records.map(({ value }) => String(value))).toEqual(['before'])
  expect(await direct.produce(batch(topic, older, 0, 'zombie'))).toMatchObject({
    outcome: 'not-done',
    reason: 'fenced',
  })
  expect(await direct.produce(batch(topic, newer, 1, 'after'))).toMatchObject({ outcome: 'done', baseOffset: 1 })
  expect((await direct.initProducerId(topic)).epoch).toBe(newer.epoch + 1)
})

function toClose(driver: KafkaDriver): KafkaDriver {
  cleanups.push(() => driver.close())
  return driver
}

test('a commit that reaches the group late, its answer long given up, does not set the offset back', async () => {
  const { driver, topic } = await proxied()
  const member = await driver.joinGroup({
    ...{ group: topic, topics: [{ name: topic, partitions: 1 }], sessionTimeout: 6_000, onAssigned: () => {} },
  })
  cleanups.unshift(() => member.leave())
  await member.commit(topic, 0, 1)
  const late = proxy.on('OffsetCommit').detainRequest()
  await expect(member.commit(topic, 0, 2)).rejects.toThrow()
  const commit = () => member.commit(topic, 0, 3).then(() => 'taken', String)
  await expect.poll(commit, { timeout: 20_000 }).toBe('taken')
  await late.deliver()
  expect(await member.committed(topic, 0)).toBe(3)
})

/** A driver that reaches the broker through the proxy, and a topic that it has claimed. */
async function proxied(options: { requestTimeout?: number } = {}) {
  const topic = uniqueName()
  await direct.createTopic({ name: topic, partitions: 1, replicationFactor: 1, settings: {} })
  const driver = toClose(kafkajsDriver({ brokers: [`127.0.0.1:${proxy.port}`], ...options }))
  // The first claim of a fresh broker waits for an internal topic to be created, longer than a short timeout allows.
  await direct.initProducerId(topic)
  return { driver, topic, identity: await driver.initProducerId(topic) }
}

function batch(topic: string, identity: ProducerIdentity, sequence: number, value: string): RecordBatch {
  const records = [{ key: Buffer.from('k'), value: Buffer.from(value), headers: [] }]
  return { topic, partition: 0, identity, sequence, time: Date.now(), records }
}

async function valuesOf(topic: string): Promise<string[]> {
  const { records } = await direct.fetch({ topic, partition: 0, offset: 0, maxBytes: 1_000_000, maxWait: 100 })
  return records.map(({ value }) => String(value))
}
