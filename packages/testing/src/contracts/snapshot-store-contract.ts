// What every SnapshotStore does. It may forget; it may never mix streams up or bring back what was replaced.
import assert from 'node:assert/strict'
import type { Snapshot, SnapshotStore } from '@narrative/core'
import type { ContractCase } from './contract-case.js'

const snapshot = (version: number, state: unknown = { version }): Snapshot => ({ state, version, revision: 1 })

/** What every `SnapshotStore` does. */
export const snapshotStoreContract: readonly ContractCase<SnapshotStore>[] = [
  snapshotCase('a stream without a snapshot has none', (store) => {
    assert.equal(store.load('order-1'), undefined)
  }),

  snapshotCase('a snapshot just saved comes back with its version and revision', (store) => {
    const saved: Snapshot = { state: { lines: [1, 2], note: 'ü' }, version: 7, revision: 3 }
    store.save('order-1', saved)
    assert.deepEqual({ ...store.load('order-1') }, saved)
  }),

  snapshotCase('a later snapshot replaces an earlier one', (store) => {
    store.save('order-1', snapshot(1))
    store.save('order-1', snapshot(2))
    assert.equal(store.load('order-1')?.version, 2)
  }),

  snapshotCase('a discarded snapshot is gone, and its stream may be saved again', (store) => {
    store.save('order-1', snapshot(1))
    store.save('order-2', snapshot(1))
    store.discard('order-1')
    store.discard('order-3')
    assert.equal(store.load('order-1'), undefined)
    assert.equal(store.load('order-2')?.version, 1)
    store.save('order-1', snapshot(4))
    assert.equal(store.load('order-1')?.version, 4)
  }),

  snapshotCase('a state may be anything but undefined', (store) => {
    for (const state of [0, '', false, null, [], {}]) {
      store.save('order-1', snapshot(1, state))
      assert.deepEqual(store.load('order-1')?.state, state)
    }
  }),

  snapshotCase('streams whose ids look alike have snapshots of their own', (store) => {
    const streams = [
      'order-1',
      'order-11',
      'order-a',
      'order-A',
      'customer-1',
      'order-__proto__',
      '__proto__',
      'order-😀',
    ]
    for (const [index, streamId] of streams.entries()) store.save(streamId, snapshot(index + 1))
    for (const [index, streamId] of streams.entries()) assert.equal(store.load(streamId)?.version, index + 1, streamId)
  }),

  snapshotCase('of very many snapshots, those that are still there are the right ones', (store) => {
    for (let n = 1; n <= 20_000; n++) store.save(`order-${n}`, snapshot(n))
    assert.equal(store.load('order-20000')?.version, 20_000)
    for (let n = 1; n <= 20_000; n++) {
      const found = store.load(`order-${n}`)
      if (found !== undefined) assert.equal(found.version, n)
    }
  }),
]

function snapshotCase(name: string, body: (store: SnapshotStore) => void): ContractCase<SnapshotStore> {
  return { name, run: async (fresh) => body(await fresh()) }
}
