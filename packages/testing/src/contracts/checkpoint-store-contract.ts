// What every CheckpointStore does: one checkpoint per reader and partition, moved only by whoever knows where it is.
import assert from 'node:assert/strict'
import type { Checkpoint, CheckpointStore } from '@narrative/core'
import type { ContractCase } from './contract-case.js'

const checkpoint = (partition: number, offset: number, more: Partial<Checkpoint> = {}): Checkpoint => ({
  topic: 'shop.order.events',
  partition,
  offset,
  claim: 'claim 1',
  ...more,
})

/** What every `CheckpointStore` does. */
export const checkpointStoreContract: readonly ContractCase<CheckpointStore>[] = [
  checkpointCase('an unknown reader has no checkpoints', async (store) => {
    assert.deepEqual(await store.load('view'), [])
  }),

  checkpointCase('a checkpoint comes back as it was saved', async (store) => {
    const saved = [
      checkpoint(0, 0, { claim: null }),
      checkpoint(1, 2 ** 40),
      checkpoint(0, 7, { topic: 'shop.customer.events', claim: 'ü "quoted" 😀' }),
    ]
    for (const one of saved) assert.equal(await store.save('view', one, undefined), true)
    assert.deepEqual(sorted(await store.load('view')), sorted(saved))
  }),

  checkpointCase('a checkpoint moves from where the caller left it', async (store) => {
    assert.equal(await store.save('view', checkpoint(0, 5), undefined), true)
    assert.equal(await store.save('view', checkpoint(0, 9, { claim: 'claim 2' }), 5), true)
    assert.deepEqual(await store.load('view'), [checkpoint(0, 9, { claim: 'claim 2' })])
  }),

  checkpointCase('a checkpoint that somebody else moved stays where it is', async (store) => {
    await store.save('view', checkpoint(0, 0), undefined)
    assert.equal(await store.save('view', checkpoint(0, 3), undefined), false)
    await store.save('view', checkpoint(0, 5), 0)
    for (const expected of [undefined, 0, 4, 6]) {
      assert.equal(await store.save('view', checkpoint(0, 8), expected), false, `expecting ${expected}`)
    }
    assert.deepEqual(await store.load('view'), [checkpoint(0, 5)])
  }),

  checkpointCase('a checkpoint that does not exist cannot be moved', async (store) => {
    assert.equal(await store.save('view', checkpoint(0, 5), 3), false)
    assert.equal(await store.save('view', checkpoint(0, 5), 0), false)
    assert.deepEqual(await store.load('view'), [])
  }),

  checkpointCase('of concurrent moves from one place, one succeeds', async (store) => {
    for (const expected of [undefined, 1, 2]) {
      const next = (expected ?? 0) + 1
      const moves = Array.from({ length: 10 }, () => store.save('view', checkpoint(0, next), expected))
      assert.equal((await Promise.all(moves)).filter(Boolean).length, 1)
    }
  }),

  checkpointCase('a load is a copy of what is stored', async (store) => {
    const given = { ...checkpoint(0, 5) }
    await store.save('view', given, undefined)
    given.offset = 6
    assert.deepEqual(await store.load('view'), [checkpoint(0, 5)])
  }),

  checkpointCase('readers do not share checkpoints, and one is reset alone', async (store) => {
    const readers = ['view', 'View', 'view ', 'ü', '😀', '__proto__', "o'clock", 'view/0']
    for (const [index, reader] of readers.entries()) {
      assert.equal(await store.save(reader, checkpoint(0, index), undefined), true, reader)
      assert.equal(await store.save(reader, checkpoint(1, index), undefined), true, reader)
    }
    await store.reset('view')
    await store.reset('nobody')
    assert.deepEqual(await store.load('view'), [])
    for (const [index, reader] of readers.entries()) {
      if (reader === 'view') continue
      assert.deepEqual(sorted(await store.load(reader)), [checkpoint(0, index), checkpoint(1, index)], reader)
    }
    assert.equal(await store.save('view', checkpoint(0, 1), undefined), true)
  }),
]

function checkpointCase(name: string, body: (store: CheckpointStore) => Promise<void>): ContractCase<CheckpointStore> {
  return { name, run: async (fresh) => body(await fresh()) }
}

function sorted(checkpoints: readonly Checkpoint[]): Checkpoint[] {
  const key = (one: Checkpoint) => `${one.topic}/${String(one.partition).padStart(9, '0')}`
  return checkpoints.map((one) => ({ ...one })).sort((a, b) => (key(a) < key(b) ? -1 : 1))
}
