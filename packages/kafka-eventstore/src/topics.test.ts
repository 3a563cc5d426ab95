import { isNarrativeError } from '@narrative/core'
import { expect, test } from 'vitest'
import { MemoryBroker } from './memory-broker.test-support.js'
import { anEvent, codeOf, openStore, topic } from './store.test-support.js'
import { prepareTopics, topicName } from './topics.js'

const wishes = { partitions: 4, replicationFactor: -1 }
const good = { 'cleanup.policy': 'delete', 'retention.ms': '-1', 'retention.bytes': '-1' }

async function faults(broker: MemoryBroker, names: readonly string[]): Promise<readonly string[]> {
  try {
    await prepareTopics(broker.driver(), names, wishes)
  } catch (error) {
    if (isNarrativeError(error, 'TOPIC_REFUSED')) return error.details.faults as string[]
    throw error
  }
  return []
}

test('names', () => {
  expect(topicName('shop', 'order')).toBe('shop.order.events')
  expect(topicName(undefined, 'order')).toBe('order.events')
})

test('a topic that is missing is created to keep everything', async () => {
  const broker = new MemoryBroker()
  const topics = await prepareTopics(broker.driver(), ['a.events'], wishes)
  expect(topics.get('a.events')).toMatchObject({
    partitions: 4,
    settings: { ...good, 'message.timestamp.type': 'CreateTime', 'unclean.leader.election.enable': 'false' },
  })
})

test('with three replicas, two must have an event before it is acknowledged', async () => {
  const broker = new MemoryBroker()
  await prepareTopics(broker.driver(), ['a.events'], { partitions: 1, replicationFactor: 3 })
  expect(broker.topics.get('a.events')!.description.settings).toMatchObject({ 'min.insync.replicas': '2' })
})

test('an existing topic keeps its own number of partitions', async () => {
  const broker = new MemoryBroker()
  broker.createTopic({ name: 'a.events', partitions: 7, replicationFactor: 1, settings: good })
  expect((await prepareTopics(broker.driver(), ['a.events'], wishes)).get('a.events')!.partitions).toBe(7)
})

test('every fault of every topic is told at once, with the remedy', async () => {
  const broker = new MemoryBroker()
  const create = (name: string, settings: Record<string, string>) =>
    broker.createTopic({ name, partitions: 1, replicationFactor: 1, settings: { ...good, ...settings } })
  create('a.events', { 'retention.ms': '604800000', 'cleanup.policy': 'compact' })
  create('b.events', { 'message.timestamp.type': 'LogAppendTime' })
  create('c.events', {})
  const found = await faults(broker, ['a.events', 'b.events', 'c.events'])
  expect(found).toHaveLength(3)
  expect(found[0]).toMatch(/a\.events has cleanup\.policy=compact: .*--add-config cleanup\.policy=delete/)
  expect(found[1]).toMatch(/a\.events has retention\.ms=604800000/)
  expect(found[2]).toMatch(/b\.events has message\.timestamp\.type/)
})

test('a changed partition count is found by the claims in the log', async () => {
  const broker = new MemoryBroker()
  const store = await openStore(broker)
  await store.write('order-1')
  await store.close()
  const { description, partitions } = broker.topics.get(topic)!
  const wider = new MemoryBroker()
  wider.createTopic({ ...description, partitions: 2 })
  wider.partition(topic, 0).log.push(...partitions[0]!.log)
  const found = await faults(wider, [topic])
  expect(found).toHaveLength(1)
  expect(found[0]).toMatch(/has 2 partitions but was begun with 1/)
})

test('a topic that something else writes to is refused', async () => {
  const broker = new MemoryBroker()
  broker.createTopic({ name: 'a.events', partitions: 1, replicationFactor: 1, settings: good })
  broker.partition('a.events', 0).log.push({ key: null, value: anEvent().data, headers: [], time: 0 })
  expect((await faults(broker, ['a.events']))[0]).toMatch(/does not begin with a claim/)
})

test('a name that Kafka would not take', async () => {
  const prepare = (name: string) => codeOf(prepareTopics(new MemoryBroker().driver(), [name], wishes))
  expect(await prepare('größe.events')).toBe('TOPIC_INVALID')
  expect(await prepare('x'.repeat(250))).toBe('TOPIC_INVALID')
  expect(await prepare('a b.events')).toBe('TOPIC_INVALID')
})
