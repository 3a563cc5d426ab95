// A read at an owner gives everything that was acknowledged before it, or fails.
import { NarrativeError } from '@narrative/core'
import { describe, expect, test } from 'vitest'
import { broker, holdNext, once, open, start } from './append-protocol.test-support.js'
import { MemoryReplica } from './replica/memory-replica.js'
import type { ReplicaPlace } from './replica/replica.js'
import { claimsIn, codeOf, type OpenedStore, until } from './store.test-support.js'

describe('a strong read', () => {
  test('at an owner that was overtaken and does not know yet: never what was true before', async () => {
    const old = await start()
    await old.write('order-1', 0)
    const rival = await open()
    await rival.write('order-1', 1)
    // Nothing told the old owner. It must not answer with one event.
    const read = async () => readStream(old, 'order-1')
    expect(await codeOf(read())).toBe('NOT_OWNER')
  })

  test('while a batch of its own is in flight waits for it, and is answered', async () => {
    const store = await start()
    await store.write('order-1', 0)
    let land: (() => void) | undefined
    once(store, async (deliver) => {
      const outcome = deliver()
      await new Promise<void>((resolve) => {
        land = resolve
      })
      return outcome
    })
    const writing = store.write('order-1', 1)
    await until(() => land !== undefined)
    const reading = readStream(store, 'order-1')
    land!()
    expect(await reading).toHaveLength(2)
    expect(await writing).toMatchObject({ version: 2 })
    expect(claimsIn(broker)).toHaveLength(1)
  })

  test('after a doubt came while a batch was in flight, with nothing else to write', async () => {
    let doubt: ReplicaPlace['onFailure']
    const create = (place: ReplicaPlace) => {
      doubt = place.onFailure
      return new MemoryReplica(place.topic, place.partition)
    }
    const store = await start({ replica: { create } })
    const batch = holdNext(store)
    const writing = store.write('order-1', 0)
    await batch.sent
    doubt!(new NarrativeError('DISK_FAILED', { message: 'the copy is in doubt' }))
    batch.deliver()
    expect(await writing).toMatchObject({ version: 1 })
    expect(await readStream(store, 'order-1')).toHaveLength(1)
    expect(claimsIn(broker)).toHaveLength(2)
  })

  test('after a round of the group was missed: who else may have owned it meanwhile is fenced before anything is told', async () => {
    const store = await start()
    await store.write('order-1', 0)
    const batch = holdNext(store)
    const writing = store.write('order-1', 1)
    await batch.sent
    const waiting = codeOf(store.write('order-2', 0))
    broker.missRound()
    expect(await waiting).toBe('NOT_OWNER') // maybe it was another's request already, and refused
    batch.deliver()
    expect(await writing).toMatchObject({ version: 2 })
    expect(await readStream(store, 'order-1')).toHaveLength(2)
    expect(claimsIn(broker)).toHaveLength(2)
  })
})

async function readStream(store: OpenedStore, streamId: string): Promise<number[]> {
  const versions: number[] = []
  for await (const { version } of store.eventStore.read(streamId)) versions.push(version)
  return versions
}
