// A store opened for no categories, and the look at brokers and topics: both beside a service, and without it noticing.
import { type Finding, type RecordedEvent, silentLogger, systemClock } from '@narrative/core'
import { afterEach, expect, test } from 'vitest'
import { kafkaEventStore } from './kafka-event-store.js'
import { MemoryBroker } from './memory-broker.test-support.js'
import { anEvent, claimsIn, codeOf, metadata, openStore, topic } from './store.test-support.js'

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const storageOn = (broker: MemoryBroker) =>
  kafkaEventStore({ brokers: ['here:1'], context: 'test', driver: () => broker.driver() })

const context = { clock: systemClock, logger: silentLogger }

async function serviceOn(broker: MemoryBroker) {
  const service = await openStore(broker)
  closing.push(() => service.close())
  return service
}

async function readerOn(broker: MemoryBroker) {
  const reader = await storageOn(broker).open({ ...context, categories: [] })
  closing.push(() => reader.close())
  return reader.eventStore
}

async function all(events: AsyncIterable<RecordedEvent>): Promise<[version: number, streamId: string][]> {
  const found: [number, string][] = []
  for await (const { version, streamId } of events) found.push([version, streamId])
  return found
}

test('a stream is read beside the service that owns it, as the service reads it', async () => {
  const broker = new MemoryBroker()
  const service = await serviceOn(broker)
  for (let n = 0; n < 3; n++) await Promise.all(['order-1', 'order-2'].map((id) => service.write(id)))
  const reader = await readerOn(broker)
  expect(await all(reader.read('order-1'))).toEqual(await all(service.eventStore.read('order-1')))
  expect(await all(reader.read('order-2', { from: 2, to: 2 }))).toEqual([[2, 'order-2']])
  expect(await all(reader.read('order-2', { asOf: 0 }))).toEqual([])
  expect(await all(reader.read('order-3'))).toEqual([])
  expect(await all(reader.read('nothing-1'))).toEqual([])
})

test('reading claims nothing and joins nothing: the service goes on without a pause', async () => {
  const broker = new MemoryBroker()
  const service = await serviceOn(broker)
  await service.write('order-1')
  const [claims, { members }] = [claimsIn(broker).length, broker]
  const reader = await readerOn(broker)
  await all(reader.read('order-1'))
  await service.write('order-1', 1)
  expect(await all(reader.read('order-1'))).toHaveLength(2)
  expect(claimsIn(broker)).toHaveLength(claims)
  expect(broker.members).toBe(members)
  expect(service.status().map(({ state }) => state)).toEqual(['serving'])
})

test('an append is refused, and a command is found', async () => {
  const broker = new MemoryBroker()
  const service = await serviceOn(broker)
  await service.write('order-1')
  const appended = await service.eventStore.append('order-1', [anEvent(), anEvent()], {
    expectedVersion: 1,
    metadata: metadata('the-command'),
  })
  await service.write('order-1')
  const reader = await readerOn(broker)
  expect(await codeOf(reader.append('order-1', [anEvent()], { expectedVersion: 'any', metadata: metadata('c') }))).toBe(
    'NOT_OWNER',
  )
  expect(await reader.findCommand('order-1', 'the-command')).toEqual({ ...appended, duplicate: true })
  expect(await reader.findCommand('order-1', 'another')).toBeUndefined()
})

test('what was written by somebody who had lost the partition is not read', async () => {
  const broker = new MemoryBroker()
  const first = await serviceOn(broker)
  await first.write('order-1')
  const before = broker.partition(topic, 0).log.at(-1)!
  const second = await serviceOn(broker)
  await second.write('order-1')
  broker.partition(topic, 0).log.push(before)
  const reader = await readerOn(broker)
  expect(await all(reader.read('order-1'))).toEqual([
    [1, 'order-1'],
    [2, 'order-1'],
  ])
})

const inspected = (broker: MemoryBroker): Promise<readonly Finding[]> =>
  storageOn(broker).inspect!({ ...context, categories: ['order'] })

test('a look at a topic that is missing does not create it', async () => {
  const broker = new MemoryBroker()
  expect(await inspected(broker)).toEqual([
    { state: 'ok', subject: 'Kafka', detail: 'answers at here:1' },
    { state: 'warning', subject: `topic ${topic}`, detail: expect.stringContaining('does not exist yet') },
  ])
  expect([...broker.topics.keys()]).toEqual([])
})

test('a look at a topic says every setting that would lose events, and a replication that could', async () => {
  const broker = new MemoryBroker()
  await serviceOn(broker)
  const found = broker.topics.get(topic)!
  const seen = async (replicationFactor: number, insync: string) => {
    const settings = { ...found.description.settings, 'min.insync.replicas': insync }
    found.description = { ...found.description, replicationFactor, settings }
    return (await inspected(broker))[1]
  }
  expect(await seen(1, '1')).toMatchObject({ state: 'warning', detail: expect.stringContaining('in production use 3') })
  expect(await seen(3, '1')).toMatchObject({
    state: 'warning',
    detail: expect.stringContaining('min.insync.replicas=1'),
  })
  expect(await seen(3, '2')).toMatchObject({ state: 'ok', detail: '1 partition, replication factor 3, kept for ever' })
  found.description = { ...found.description, settings: { 'cleanup.policy': 'compact', 'retention.ms': '1000' } }
  const faults = (await inspected(broker)).filter(({ state }) => state === 'fault')
  expect(faults.map(({ detail }) => detail)).toEqual([
    expect.stringContaining('cleanup.policy=compact'),
    expect.stringContaining('retention.ms=1000'),
  ])
})
