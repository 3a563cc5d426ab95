import { expect, test } from 'vitest'
import { InMemorySnapshotStore } from './in-memory-snapshot-store.js'

test('it keeps the streams used last, up to its bound', () => {
  const store = new InMemorySnapshotStore({ max: 2 })
  const snapshot = { state: {}, version: 1, revision: 1 }
  store.save('order-1', snapshot)
  store.save('order-2', snapshot)
  store.load('order-1')
  store.save('order-3', snapshot)
  expect(['order-1', 'order-2', 'order-3'].filter((streamId) => store.load(streamId))).toEqual(['order-1', 'order-3'])
})

test('it keeps the very object, not a copy', () => {
  const store = new InMemorySnapshotStore()
  const state = { total: 1 }
  store.save('order-1', { state, version: 1, revision: 1 })
  expect(store.load('order-1')?.state).toBe(state)
})
