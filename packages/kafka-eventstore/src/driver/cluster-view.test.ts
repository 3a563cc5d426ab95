import { NarrativeError } from '@narrative/core'
import { expect, test } from 'vitest'
import { ConnectionFailure } from './broker-failure.js'
import { ClusterView } from './cluster-view.js'
import type { ClusterMetadata } from './metadata-request.js'

const one = { host: 'one', port: 1 }
const two = { host: 'two', port: 2 }

/** A cluster of two brokers whose partition 0 of `orders` is led by `leader`. */
function cluster(state: { leader: number; epoch?: number; asked?: string[] }) {
  return new ClusterView([one], async ({ host }, topics): Promise<ClusterMetadata> => {
    state.asked?.push(`${host}: ${topics.join()}`)
    const partitions = [{ partition: 0, leader: state.leader, leaderEpoch: state.epoch ?? 0, replicas: [1, 2] }]
    const brokers = new Map(Object.entries([one, two]).map(([index, broker]) => [Number(index) + 1, broker]))
    return { brokers, controllerId: 1, topics: topics.map((name) => ({ code: 0, name, partitions })) }
  })
}

test('a leader is looked up once, and again after it was doubted', async () => {
  const state = { leader: 1, asked: [] as string[] }
  const view = cluster(state)
  expect(await Promise.all([view.leader('orders', 0), view.leader('orders', 0)])).toEqual([one, one])
  state.leader = 2
  expect(await view.leader('orders', 0)).toEqual(one)
  expect(state.asked.length).toBe(1)
  view.doubt('orders')
  expect(await view.leader('orders', 0)).toEqual(two)
  // Another broker than the first time: one that lost touch with the cluster is not believed twice.
  expect(state.asked).toEqual(['one: orders', 'two: orders'])
})

test('a broker that is cut off and tells of a leader that was replaced is not believed, unless all say so', async () => {
  const state = { leader: 2, epoch: 5 }
  const view = cluster(state)
  expect(await view.leader('orders', 0)).toEqual(two)
  Object.assign(state, { leader: 1, epoch: 4 })
  view.doubt('orders')
  await expect(view.leader('orders', 0)).rejects.toBeInstanceOf(ConnectionFailure)
  Object.assign(state, { leader: 2, epoch: 5 })
  expect(await view.leader('orders', 0)).toEqual(two)
  // Made anew, a topic begins with epoch 0 again.
  Object.assign(state, { leader: 1, epoch: 0 })
  view.doubt('orders')
  await expect(view.leader('orders', 0)).rejects.toBeInstanceOf(ConnectionFailure)
  expect(await view.leader('orders', 0)).toEqual(one)
})

test('no leader at the moment is a failure that may pass', async () => {
  const state = { leader: -1 }
  const view = cluster(state)
  await expect(view.leader('orders', 0)).rejects.toBeInstanceOf(ConnectionFailure)
  state.leader = 2
  expect(await view.leader('orders', 0)).toEqual(two)
})

test('a refusal by any broker is told rather than the silence of the others', async () => {
  const refusal = new NarrativeError('BROKER_REFUSED', { message: 'wrong password' })
  const view = new ClusterView([one, two], ({ host }) =>
    Promise.reject(host === 'one' ? refusal : new ConnectionFailure(false, 'down')),
  )
  await expect(view.ask([])).rejects.toBe(refusal)
})
