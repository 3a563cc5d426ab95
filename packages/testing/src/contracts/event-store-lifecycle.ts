// Contract of opening and closing: what was acknowledged outlives it, and two openings never write two histories.
import assert from 'node:assert/strict'
import { isNarrativeError } from '@narrative/core'
import { ids, inTime, readWholeLog, storageCase, withCode } from './storage-scenario.js'

export const eventStoreLifecycle = [
  storageCase('an open store is ready, a closed one says that it is closed', async (store) => {
    assert.deepEqual(store.health(), { ready: true, reasons: [] })
    await store.appended('order-1', 1)
    await store.close()
    await store.close()
    assert.equal(store.health().ready, false)
    assert.ok(store.health().reasons.length > 0, 'health gives no reason')
    await assert.rejects(() => store.append('order-1', 1), withCode('STORE_CLOSED'))
    await assert.rejects(() => store.readAll('order-1'), withCode('STORE_CLOSED'))
    await assert.rejects(() => store.eventStore.findCommand('order-1', 'c1'), withCode('STORE_CLOSED'))
  }),

  storageCase('it says of every partition how it fares, and how far it is', async (store) => {
    await store.appended('order-1', 3)
    const log = (await Promise.all(['order', 'customer'].map((category) => store.eventLog.partitions(category)))).flat()
    const nameOf = ({ topic, partition }: { topic: string; partition: number }) => `${topic}/${partition}`
    const ends = new Map(log.map((each) => [nameOf(each), each.end]))
    const served = store.status()
    assert.deepEqual(served.map(nameOf).sort(), [...ends.keys()].sort())
    for (const { state, offset, lag, voids, waiting, ...place } of served) {
      const name = nameOf(place)
      assert.deepEqual({ name, state, offset }, { name, state: 'serving', offset: ends.get(name) })
      assert.deepEqual({ name, lag, voids, waiting }, { name, lag: 0, voids: 0, waiting: 0 })
    }
    await store.close()
    for (const { state } of store.status()) assert.equal(state, 'closed')
  }),

  storageCase('events, versions and command ids outlive closing and opening', async (store) => {
    const first = await store.appended('order-1', 2, { expectedVersion: 0, commandId: 'c1' })
    const before = await store.readAll('order-1')
    const again = await store.reopened()
    assert.deepEqual(ids(await again.readAll('order-1')), ids(before))
    assert.deepEqual(await again.eventStore.findCommand('order-1', 'c1'), { ...first, duplicate: true })
    assert.equal((await again.appended('order-1', 2, { expectedVersion: 0, commandId: 'c1' })).duplicate, true)
    assert.deepEqual(await again.append('order-1', 1, { expectedVersion: 0 }), {
      outcome: 'conflict',
      actualVersion: 2,
    })
    const next = await again.appended('order-1', 1, { expectedVersion: 2 })
    assert.equal(next.version, 3)
    assert.equal(next.position.partition, first.position.partition)
    assert.ok(next.position.offset > first.position.offset, 'a later event has an earlier offset')
  }),

  storageCase('time does not go back over a reopening', async (store) => {
    const now = store.clock.now()
    await store.appended('order-1', 1)
    const again = await store.reopened()
    again.clock.advance(-60_000)
    await again.appended('order-1', 1)
    assert.deepEqual(
      (await again.readAll('order-1')).map((event) => event.time),
      [now, now],
    )
  }),

  storageCase('closing finishes or refuses what is under way, and never half', async (store) => {
    const streams = Array.from({ length: 60 }, (_, index) => `order-${index}`)
    const appends = streams.map((streamId) => store.appended(streamId, 2, { expectedVersion: 0 }))
    const [closing, ...outcomes] = await inTime(Promise.allSettled([store.close(), ...appends]), 'closing')
    assert.equal(closing!.status, 'fulfilled')
    const again = await store.reopened()
    for (const [index, streamId] of streams.entries()) {
      const outcome = outcomes[index]!
      if (outcome.status === 'rejected') withCode('STORE_CLOSED')(outcome.reason)
      const stored = (await again.readAll(streamId)).length
      assert.equal(stored, outcome.status === 'fulfilled' ? 2 : 0, `${streamId}: ${outcome.status}`)
    }
  }),

  storageCase('two openings of one log write one history', async (one) => {
    await one.appended('order-1', 1)
    const other = await one.beside()
    const acknowledged: string[] = []
    const write = async (store: typeof one, streamId: string) => {
      try {
        const expectedVersion = (await store.readAll(streamId)).length
        const result = await store.append(streamId, 1, { expectedVersion })
        if (result.outcome === 'appended') acknowledged.push(`${streamId}@${result.version}`)
      } catch (error) {
        // An opening that lost the partition may refuse or not know, but only with an error that says: try again.
        assert.ok(isNarrativeError(error) && error.retryable, `not a retryable error: ${String(error)}`)
      }
    }
    for (let round = 0; round < 10; round++) {
      await Promise.all(['order-1', 'order-2', 'order-3'].flatMap((id) => [write(one, id), write(other, id)]))
    }
    assert.equal(new Set(acknowledged).size, acknowledged.length, 'two appends were acknowledged with one version')
    assert.ok(acknowledged.length >= 10, `only ${acknowledged.length} of 60 appends got through`)
    await other.close()
    const later = await one.reopened()
    const { events } = await readWholeLog(later)
    const logged = ids(events)
    assert.deepEqual(
      acknowledged.filter((entry) => !logged.includes(entry)),
      [],
      'acknowledged, but not in the log',
    )
    for (const streamId of ['order-1', 'order-2', 'order-3']) {
      const history = (await later.readAll(streamId)).map((event) => event.version)
      assert.deepEqual(
        history,
        Array.from({ length: history.length }, (_, index) => index + 1),
      )
      const ofStream = events.filter((event) => event.streamId === streamId).map((event) => event.version)
      assert.deepEqual(ofStream, history, `the log and the stream ${streamId} differ`)
    }
  }),
]
