import kafkajs from 'kafkajs'
import { expect, test } from 'vitest'
import { kafkaAnswers, kafkaCluster } from './kafka-ping.js'
import { startKafka } from './start-kafka.js'
import { uniqueName } from './unique-name.js'

const portOf = (address: string) => Number(address.split(':')[1])
const seen = (address: string) => kafkaCluster('127.0.0.1', portOf(address), 500)

test('three brokers that see each other, replicate, freeze, die and come back', async () => {
  const began = performance.now()
  const cluster = await startKafka({ nodes: 3 })
  expect(performance.now() - began).toBeLessThan(60_000)
  const views = await Promise.all(cluster.brokers.map(seen))
  expect(views.map((view) => view?.brokers)).toEqual([3, 3, 3])
  expect(new Set(views.map((view) => view?.id)).size).toBe(1)

  const client = new kafkajs.Kafka({ brokers: cluster.brokers, logLevel: kafkajs.logLevel.NOTHING })
  const admin = client.admin()
  await admin.connect()
  const topic = uniqueName()
  await admin.createTopics({ topics: [{ topic, numPartitions: 1 }], waitForLeaders: true })
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
  expect(topics[0]?.partitions[0]?.replicas).toHaveLength(3)
  await admin.disconnect()
  const leader = await cluster.holderOf({ role: 'leader', topic, partition: 0 })
  expect(leader?.id).toBe(topics[0]?.partitions[0]?.leader)
  const roles = [
    { role: 'controller' },
    { role: 'group-coordinator', group: topic },
    { role: 'transaction-coordinator', transactionalId: topic },
  ] as const
  // A coordinator is found once the topic of its kind is made.
  for (const role of roles) await expect.poll(() => cluster.holderOf(role), { timeout: 30_000 }).toBeDefined()
  const controller = (await cluster.holderOf({ role: 'controller' }))!
  await controller.kill()
  await expect.poll(async () => (await cluster.holderOf({ role: 'controller' }))?.id).not.toBe(controller.id)
  await expect.poll(() => cluster.holderOf({ role: 'controller' }), { timeout: 30_000 }).toBeDefined()
  await controller.restart()

  const [first, second] = cluster.nodes
  first!.pause()
  await expect.poll(() => seen(first!.broker), { timeout: 30_000 }).toBeUndefined()
  first!.resume()
  await expect.poll(() => seen(first!.broker), { timeout: 30_000 }).toBeDefined()

  second!.pause()
  await second!.kill('SIGTERM') // a frozen one, too, ends as it is told
  expect(await kafkaAnswers('127.0.0.1', portOf(second!.broker))).toBe(false)
  await second!.restart()
  await expect.poll(async () => (await seen(second!.broker))?.brokers, { timeout: 30_000 }).toBe(3)

  await cluster.stop()
  expect(await Promise.all(cluster.brokers.map(seen))).toEqual([undefined, undefined, undefined])
})
