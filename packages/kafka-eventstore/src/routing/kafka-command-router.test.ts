// Two instances on a broker in memory: what happens when more is asked than the owner of a partition can do.
import { type RoutedRequest, silentLogger, systemClock } from '@narrative/core'
import { afterEach, expect, test } from 'vitest'
import type { KafkaDriver } from '../driver/kafka-driver.js'
import { MemoryBroker } from '../memory-broker.test-support.js'
import { until } from '../store.test-support.js'
import { KafkaCommandRouter, type RouterOptions } from './kafka-command-router.js'

const topic = 'test.order.commands'
const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

function optionsOf(driver: KafkaDriver, maxAppends = 10_000, maxBytes = 64 * 1024 * 1024): RouterOptions {
  return {
    driver,
    clock: systemClock,
    logger: silentLogger,
    replyTopic: 'test.replies',
    replyPartitions: 1,
    queueLimits: { maxAppends, maxBytes },
    placeOf: (streamId) => ({ topic, partition: streamId.startsWith('order-a') ? 0 : 1 }),
    ownedHere: () => false,
  }
}

function router(broker: MemoryBroker, maxAppends?: number, maxBytes?: number): KafkaCommandRouter {
  const made = new KafkaCommandRouter(optionsOf(broker.driver(), maxAppends, maxBytes))
  cleanups.push(() => made.close())
  return made
}

function scene() {
  const broker = new MemoryBroker()
  for (const name of [topic, 'test.replies']) {
    broker.createTopic({ name, partitions: 2, replicationFactor: 1, settings: {} })
  }
  return broker
}

/** An owner of a partition whose commands end when it is told so. */
async function own(broker: MemoryBroker, partition: number) {
  const member = await broker.driver().joinGroup({ group: 'g', topics: [], sessionTimeout: 6_000, onAssigned() {} })
  const stop = new AbortController()
  const waiting: (() => void)[] = []
  const owner = router(broker)
  const state = {
    most: 0,
    inHand: 0,
    handled: 0,
    /** Lets everything that is in hand end. */
    finish() {
      for (const end of waiting.splice(0)) end()
    },
  }
  owner.serve(async ({ payload }) => {
    state.most = Math.max(state.most, ++state.inHand)
    await new Promise<void>((resolve) => waiting.push(resolve))
    state.inHand--
    state.handled++
    return { payload, repeatable: true }
  })
  const consuming = owner.consume(topic, partition, member, stop.signal)
  cleanups.push(async () => {
    state.finish()
    stop.abort()
    await consuming
  })
  return state
}

function request(streamId: string, id: string, bytes = 2): RoutedRequest {
  return { streamId, id, deadline: Date.now() + 60_000, payload: Buffer.alloc(bytes) }
}

test.each([
  ['requests', 3, 1_000_000],
  ['bytes', 1_000, 6],
])('a partition takes only so many %s; more are turned away, and other partitions are not', async (_, count, bytes) => {
  const broker = scene()
  const asker = router(broker, count, bytes)
  const flood = ['1', '2', '3'].map((id) => asker.send(request('order-a', id)))
  await expect(asker.send(request('order-a', '4'))).rejects.toMatchObject({
    code: 'STORE_BUSY',
    retryable: true,
    details: { partition: `${topic}/0`, waiting: 3, bytes: 6 },
  })
  const elsewhere = asker.send(request('order-b', '5'))
  const owners = [await own(broker, 0), await own(broker, 1)]
  await until(() => owners[0]!.inHand === 3 && owners[1]!.inHand === 1)
  for (const { finish } of owners) finish()
  await Promise.all([...flood, elsewhere])

  const again = asker.send(request('order-a', '4'))
  await until(() => owners[0]!.inHand === 1)
  owners[0]!.finish()
  await again
})

test.each([
  ['requests', 1_200, 10, 500],
  ['bytes', 40, 1024 * 1024, 16],
])('an owner takes only so many %s of a flood in hand; the others wait in the topic', async (_, count, bytes, most) => {
  const broker = scene()
  const asker = router(broker)
  const flood = Promise.all(Array.from({ length: count }, (_, n) => asker.send(request('order-a', `${n}`, bytes))))
  const owner = await own(broker, 0)
  await until(() => broker.partition(topic, 0).log.length === count && owner.inHand === most)
  while (owner.handled < count) {
    owner.finish()
    await until(() => owner.handled === count || owner.inHand === Math.min(most, count - owner.handled))
  }
  await flood
  expect(owner.most).toBe(most)
})

test.each(['the log', 'a broker'])(
  'who waits is answered soon after the deadline, also when %s does not answer',
  async (who) => {
    const broker = scene()
    const silence = () => new Promise<never>(() => {})
    const silent = who === 'the log' ? { produce: silence } : { offsets: silence }
    const asker = new KafkaCommandRouter(optionsOf(Object.assign(broker.driver(), silent))) // never closed: it would wait
    const asked = performance.now()
    const answer = asker.send({ ...request('order-a', '1'), deadline: Date.now() + 100 })
    await expect(answer).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' })
    expect(performance.now() - asked).toBeLessThan(10_000)
  },
)
