// Contract of EventStore.read: which events of a stream, by version and by instant.
import assert from 'node:assert/strict'
import type { ReadOptions } from '@narrative/core'
import { ids, type StorageScenario, storageCase } from './storage-scenario.js'

export const eventStoreReads = [
  storageCase('a stream that does not exist is empty', async (store) => {
    assert.deepEqual(await store.readAll('order-1'), [])
    await store.appended('order-1', 1)
    assert.deepEqual(await store.readAll('order-2'), [])
    assert.deepEqual(await store.readAll('customer-1', { from: 1, to: 5 }), [])
  }),

  storageCase('a stream is read from one version to another, both included', async (store) => {
    await store.appended('order-1', 3)
    await store.appended('order-1', 3)
    const cases: [ReadOptions, number[]][] = [
      [{}, [1, 2, 3, 4, 5, 6]],
      [{ from: 1 }, [1, 2, 3, 4, 5, 6]],
      [{ from: 3 }, [3, 4, 5, 6]],
      [{ to: 4 }, [1, 2, 3, 4]],
      [{ from: 2, to: 5 }, [2, 3, 4, 5]],
      [{ from: 4, to: 4 }, [4]],
      [{ to: 0 }, []],
      [{ to: 100 }, [1, 2, 3, 4, 5, 6]],
      [{ from: 7 }, []],
      [{ from: 5, to: 2 }, []],
    ]
    await readsVersions(store, cases)
  }),

  storageCase('a stream is read as of an instant, that instant included', async (store) => {
    const start = store.clock.now()
    for (let version = 1; version <= 4; version++) {
      await store.appended('order-1', 1)
      store.clock.advance(1000)
    }
    const cases: [ReadOptions, number[]][] = [
      [{ asOf: start - 1 }, []],
      [{ asOf: start }, [1]],
      [{ asOf: start + 999 }, [1]],
      [{ asOf: start + 1000 }, [1, 2]],
      [{ asOf: start + 1e9 }, [1, 2, 3, 4]],
      [{ asOf: start + 2000, from: 2 }, [2, 3]],
      [{ asOf: start + 2000, from: 2, to: 2 }, [2]],
      [{ asOf: start, from: 2 }, []],
    ]
    await readsVersions(store, cases)
  }),

  storageCase(
    'an append can be read as soon as it is answered, at the position it was answered with',
    async (store) => {
      for (let version = 1; version <= 20; version++) {
        const { position } = await store.appended('order-1', 1)
        const [event] = await store.readAll('order-1', { from: version })
        assert.deepEqual(event?.position, position)
      }
    },
  ),

  storageCase('a stream that grows while it is read gives an unbroken beginning of it', async (store) => {
    await store.appended('order-1', 5)
    const versions: number[] = []
    for await (const event of store.eventStore.read('order-1')) {
      versions.push(event.version)
      if (event.version <= 5) await store.appended('order-1', 1)
    }
    assert.ok(versions.length >= 5 && versions.length <= 10, `read ${versions.length} events`)
    assert.deepEqual(
      versions,
      Array.from({ length: versions.length }, (_, index) => index + 1),
    )
  }),

  storageCase('a read that is left early leaves no trace', async (store) => {
    await store.appended('order-1', 5)
    for await (const event of store.eventStore.read('order-1')) if (event.version === 2) break
    assert.equal((await store.readAll('order-1')).length, 5)
    assert.deepEqual(ids(await store.readAll('order-1', { from: 5 })), ['order-1@5'])
  }),
]

async function readsVersions(store: StorageScenario, cases: readonly [ReadOptions, number[]][]): Promise<void> {
  for (const [options, versions] of cases) {
    const read = await store.readAll('order-1', options)
    assert.deepEqual(
      read.map((event) => event.version),
      versions,
      JSON.stringify(options),
    )
  }
}
