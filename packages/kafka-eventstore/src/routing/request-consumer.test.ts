// What must not happen twice, on a broker in memory: a request that was refused, handled again by the next owner.
import { NarrativeError, type RoutedReply, type RoutedRequest, silentLogger, systemClock } from '@narrative/core'
import { afterEach, expect, test } from 'vitest'
import type { Membership } from '../driver/kafka-driver.js'
import { MemoryBroker } from '../memory-broker.test-support.js'
import { until } from '../store.test-support.js'
import { RequestConsumer } from './request-consumer.js'
import { formatRequest, requestHeader } from './request-stamp.js'

const topic = 'test.order.commands'
const running: AbortController[] = []
afterEach(() => {
  for (const stop of running.splice(0)) stop.abort()
})

async function scene() {
  const broker = new MemoryBroker()
  broker.createTopic({ name: topic, partitions: 1, replicationFactor: 1, settings: {} })
  const driver = broker.driver()
  const member = await driver.joinGroup({ group: 'g', topics: [], sessionTimeout: 6_000, onAssigned: () => {} })
  const identity = broker.initProducerId('asker')
  let sequence = 0
  const ask = (id: string, deadline = Date.now() + 60_000) => {
    const headers = [{ key: requestHeader, value: formatRequest({ id, deadline, instance: 'i', replyTo: 0 }) }]
    const records = [{ key: Buffer.from('order-1'), value: Buffer.from(id), headers }]
    broker.produce({ topic, partition: 0, identity, sequence: sequence++, time: 0, records })
  }
  const replies: string[] = []
  /** An owner, until it is told to stop. */
  const own = (handle: (request: RoutedRequest) => Promise<RoutedReply>, membership: Membership = member) => {
    const stop = new AbortController()
    running.push(stop)
    const reply = async (_: unknown, payload: Uint8Array) => void replies.push(Buffer.from(payload).toString())
    const options = {
      driver,
      clock: systemClock,
      membership,
      logger: silentLogger,
      topic,
      partition: 0,
      signal: stop.signal,
    }
    const done = new RequestConsumer({ ...options, handle, reply }).run()
    const end = (): Promise<void> => {
      stop.abort()
      return done
    }
    return { stop: end }
  }
  return { broker, member, ask, own, replies }
}

const answer = (repeatable: boolean) => async (request: RoutedRequest) => ({ payload: request.payload, repeatable })

test('a refusal is told only when no later owner can read its request again', async () => {
  const { member, ask, own, replies } = await scene()
  let permit: (() => void) | undefined
  const allowed = new Promise<void>((resolve) => {
    permit = resolve
  })
  let commits = 0
  const slow: Membership = {
    ...member,
    commit: async (...place) => {
      commits++
      await allowed
      await member.commit(...place)
    },
  }
  own(answer(false), slow)
  ask('refused')
  await until(() => commits > 0)
  expect(replies).toEqual([])
  permit!()
  await until(() => replies.length === 1)
  expect(await member.committed(topic, 0)).toBe(1)
})

test('an owner that lost the partition before it could commit tells nobody; the next one handles it', async () => {
  const { member, ask, own, replies } = await scene()
  let tried = 0
  const fenced: Membership = { ...member, commit: async () => Promise.reject(new Error(`not yours, ${++tried}`)) }
  const old = own(answer(false), fenced)
  ask('refused')
  await until(() => tried > 0)
  await old.stop()
  expect(replies).toEqual([])
  own(answer(false))
  await until(() => replies.length === 1)
})

test('a request that was carried out and not committed is answered again by the next owner', async () => {
  const { ask, own, replies } = await scene()
  const old = own(answer(true))
  ask('done')
  await until(() => replies.length === 1)
  await old.stop()
  own(answer(true))
  await until(() => replies.length === 2)
})

test('what is not ours to answer stays for the next owner, and holds back the commit behind it', async () => {
  const { member, ask, own, replies } = await scene()
  let tried = 0
  const old = own(async (request) => {
    if (Buffer.from(request.payload).toString() === 'first') {
      tried++
      throw new NarrativeError('NOT_OWNER', { message: 'lost' })
    }
    return { payload: request.payload, repeatable: false }
  })
  ask('first')
  ask('second')
  ask('third')
  await until(() => tried > 2)
  await old.stop()
  expect(replies).toEqual([])
  expect(await member.committed(topic, 0)).toBeUndefined()
  own(answer(false))
  await until(() => replies.length === 3)
  expect(await member.committed(topic, 0)).toBe(3)
})
