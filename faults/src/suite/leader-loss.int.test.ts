// The one loss that Kafka itself must heal: a leader dies, its partitions go to others, and nobody lost anything.
import { silentLogger, systemClock } from '@narrative/core'
import { kafkaEventStore } from '@narrative/kafka-eventstore'
import { startKafka, uniqueName } from '@narrative/testing'
import kafkajs from 'kafkajs'
import { expect, test } from 'vitest'
import { checkHistory } from '../checker/check-history.js'
import { readLog } from '../checker/read-log.js'
import { Clients } from './clients.js'

test('a leader killed with -9: appends go on within 15 s, and nothing is lost', async () => {
  const cluster = await startKafka({ nodes: 3 })
  const context = uniqueName()
  const topic = `${context}.order.events`
  const storage = kafkaEventStore({ brokers: cluster.brokers, context, partitions: 1, replicationFactor: 3 })
  const store = await storage.open({ categories: ['order'], clock: systemClock, logger: silentLogger })
  const clients = new Clients(1, () => ({ name: 'a', store }))
  clients.start(8, 20)
  const appended = (count: number, timeout: number) =>
    expect.poll(() => clients.acknowledged.length, { timeout, interval: 50 }).toBeGreaterThan(count)
  await appended(500, 30_000)

  const leader = await leaderOf(cluster.brokers, topic)
  await cluster.nodes[leader - 1]!.kill('SIGKILL')
  const killed = performance.now()
  // Only what was begun after the kill: an answer may still have been on its way.
  const isNew = () => clients.acknowledged.some(({ start }) => start > killed)
  await expect.poll(isNew, { timeout: 40_000, interval: 50 }).toBe(true)
  const gap = performance.now() - killed
  console.log(`first new acknowledged append ${(gap / 1000).toFixed(1)} s after the leader was killed`)
  await appended(clients.acknowledged.length + 500, 30_000)
  await clients.stop()
  await store.close()

  const log = await readLog(
    cluster.brokers.filter((_, at) => at !== leader - 1),
    topic,
  )
  const healed = { at: killed, partitions: [`${topic}/0`] }
  const { violations, facts } = checkHistory({ operations: clients.operations, log, healed })
  expect(violations).toEqual([])
  expect(facts.events).toBeGreaterThan(1_000)
  await cluster.stop()
  expect(gap).toBeLessThan(15_000)
})

async function leaderOf(brokers: string[], topic: string): Promise<number> {
  const admin = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING }).admin()
  await admin.connect()
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
  await admin.disconnect()
  return topics[0]!.partitions[0]!.leader
}
