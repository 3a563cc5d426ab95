// What becomes of appends and claims whose answer does not come.
import { NarrativeError } from '@narrative/core'
import { describe, expect, test } from 'vitest'
import { broker, lost, once, open, start, story } from './append-protocol.test-support.js'
import type { ProduceOutcome } from './driver/kafka-driver.js'
import { MemoryReplica } from './replica/memory-replica.js'
import { claimsIn, topic } from './store.test-support.js'

/** A store whose first batch comes when it is told to: the append was answered long before. */
async function lostOnTheWay() {
  const store = await start()
  let late: () => ProduceOutcome = () => lost
  once(store, (deliver) => {
    late = deliver
    return lost
  })
  await store.write('order-1', 0)
  return { store, late: () => late() }
}

describe('an answer that does not come', () => {
  test('when the batch was written, the append is acknowledged as what it is', async () => {
    const store = await start()
    once(store, (deliver) => {
      deliver()
      return lost
    })
    const result = await store.write('order-1', 0)
    expect(result).toMatchObject({ outcome: 'appended', version: 1, duplicate: false, position: { offset: 1 } })
    expect(await story(store)).toEqual(['order-1@1'])
    expect(claimsIn(broker)).toHaveLength(2)
  })

  test('when it was not, the append is written again under a new claim', async () => {
    const store = await start()
    once(store, () => lost)
    expect(await store.write('order-1', 0)).toMatchObject({ outcome: 'appended', version: 1, position: { offset: 2 } })
    expect(await story(store)).toEqual(['order-1@1'])
  })

  test('a batch that arrives after all is fenced', async () => {
    const { store, late } = await lostOnTheWay()
    expect(late()).toMatchObject({ outcome: 'not-done', reason: 'fenced' })
    expect(await story(store)).toEqual(['order-1@1'])
  })

  test('a batch that arrives after all, at a broker that has forgotten the producer, is void', async () => {
    const { store, late } = await lostOnTheWay()
    broker.forgetProducers(topic, 0)
    expect(late()).toMatchObject({ outcome: 'done' })
    expect(await store.write('order-1', 1)).toMatchObject({ outcome: 'appended', version: 2 })
    expect(await story(store)).toEqual(['order-1@1', 'order-1@2'])
    expect(store.status()[0]).toMatchObject({ state: 'serving', voids: 1 })
  })

  test('the other appends of a lost batch get their own truth', async () => {
    const store = await start()
    once(store, () => lost)
    const results = await Promise.all([
      store.write('order-1', 0),
      store.write('order-1', 1),
      store.write('order-2', 0),
      store.write('order-1', 0),
    ])
    expect(results.map((result) => (result.outcome === 'appended' ? result.version : 'conflict'))).toEqual([
      1,
      2,
      1,
      'conflict',
    ])
  })

  test('of the claim itself: claimed again, and the stray claim is not mistaken for a rival', async () => {
    let produced = 0
    const store = await start({
      intercept: (_, deliver) => {
        if (produced++ > 0) return undefined
        deliver()
        return lost
      },
    })
    expect(claimsIn(broker)).toHaveLength(2)
    expect(await store.write('order-1', 0)).toMatchObject({ version: 1 })
  })

  test.each(['the owner', 'a rival'])(
    'a replica that cannot be read when %s has claimed is made again; nobody is answered before that',
    async (claimant) => {
      const replica = new DamagedReplica(topic, 0)
      const store = await start({ replica: { create: () => replica } })
      once(store, async (deliver) => {
        deliver()
        replica.damages = 1
        if (claimant === 'a rival') await open()
        return lost
      })
      expect(await store.write('order-1', 0)).toMatchObject({ outcome: 'appended', version: 1, duplicate: false })
      expect(replica.damages).toBe(0)
    },
  )
})

/** Says of a record that it is damaged, once each time it is told to. */
class DamagedReplica extends MemoryReplica {
  damages = 0

  override findCommand(streamId: string, commandId: string) {
    if (this.damages === 0) return super.findCommand(streamId, commandId)
    this.damages--
    throw new NarrativeError('DISK_FAILED', { message: 'A record is damaged.', details: { code: 'DAMAGED' } })
  }
}
