// Contract of how subscriptions end: by their signal, by leaving the loop, by closing the store.
import assert from 'node:assert/strict'
import type { OpenStorage } from '@narrative/core'
import { ids, inTime, storageCase, subscribeUntil, withCode } from './storage-scenario.js'

const categories = ['order']

export const eventLogEndings = [
  storageCase('a signal that has aborted gives an empty subscription', async (store) => {
    await store.appended('order-1', 1)
    assert.equal(await inTime(count(store, AbortSignal.abort()), 'the end of an aborted subscription'), 0)
  }),

  storageCase('a signal ends a subscription that waits, without an error', async (store) => {
    const abort = new AbortController()
    await store.appended('order-1', 1)
    const reading = count(store, abort.signal, (events) => {
      // The next turn of the loop finds nothing to read, and waits.
      if (events === 1) setImmediate(() => abort.abort())
    })
    assert.equal(await inTime(reading, 'the end of a waiting subscription'), 1)
  }),

  storageCase('a signal ends a subscription between two batches', async (store) => {
    const abort = new AbortController()
    for (let n = 0; n < 20; n++) await store.appended(`order-${n}`, 1)
    let batches = 0
    for await (const _ of store.eventLog.subscribe({ categories, from: 'start', signal: abort.signal })) {
      batches++
      abort.abort()
    }
    assert.equal(batches, 1)
  }),

  storageCase('leaving the loop ends a subscription and leaves the others alone', async (store) => {
    const other = subscribeUntil(store, { categories, from: 'start' }, (events) => events.length >= 2)
    await store.appended('order-1', 1)
    await subscribeUntil(store, { categories, from: 'start' }, (events) => events.length === 1)
    await store.appended('order-1', 1)
    assert.deepEqual(ids((await other).events), ['order-1@1', 'order-1@2'])
    await inTime(store.close(), 'closing')
  }),

  storageCase('closing the store ends a subscription that waits, and says why', async (store) => {
    await store.appended('order-1', 1)
    const reading = count(store, undefined, (events) => {
      if (events === 1) setImmediate(() => void store.close())
    })
    await assert.rejects(() => inTime(reading, 'the end of the subscription'), withCode('STORE_CLOSED'))
  }),

  storageCase('a closed store gives no subscriptions and no partitions', async (store) => {
    await store.close()
    await assert.rejects(() => count(store), withCode('STORE_CLOSED'))
    await assert.rejects(() => store.eventLog.partitions('order'), withCode('STORE_CLOSED'))
  }),
]

async function count(
  store: OpenStorage,
  signal?: AbortSignal,
  seen: (events: number) => void = () => {},
): Promise<number> {
  let events = 0
  for await (const batch of store.eventLog.subscribe({ categories, from: 'start', signal })) {
    events += batch.events.length
    seen(events)
  }
  return events
}
