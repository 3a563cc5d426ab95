// Contract of checkpoints: stop anywhere, go on from there, and get every event exactly once.
import assert from 'node:assert/strict'
import type { EventBatch, RecordedEvent } from '@narrative/core'
import {
  anEvent,
  checkpointsAfter,
  ids,
  readWholeLog,
  storageCase,
  subscribeUntil,
  withCode,
} from './storage-scenario.js'

const categories = ['order', 'customer']

export const eventLogCheckpoints = [
  storageCase('going on from the checkpoints of any batch gives each remaining event once', async (opened) => {
    let store = opened
    const live: EventBatch[] = []
    // Small batches, with claims between them: a live subscriber, and the storage opened anew after each round.
    for (let round = 0; round < 3; round++) {
      const known = live.flatMap((batch) => batch.events).length
      const from = live.length === 0 ? ('start' as const) : checkpointsAfter(live)
      const reading = subscribeUntil(store, { categories, from }, (events) => known + events.length >= (round + 1) * 24)
      for (let n = 0; n < 12; n++) await store.appended(`${categories[n % 2]}-${n % 5}`, 2)
      live.push(...(await reading).batches)
      store = await store.reopened()
    }
    const all = ids((await readWholeLog(store)).events).sort()
    assert.equal(all.length, 72)
    assert.deepEqual(ids(live.flatMap((batch) => batch.events)).sort(), all, 'the live subscriber')

    const step = Math.max(1, Math.floor(live.length / 12))
    for (let stop = 0; stop < live.length; stop += step) {
      const before = live.slice(0, stop)
      const had = ids(before.flatMap((batch) => batch.events))
      if (had.length === all.length) break
      const from = JSON.parse(JSON.stringify(checkpointsAfter(before)))
      const rest = await subscribeUntil(
        store,
        { categories, from },
        (events) => had.length + events.length >= all.length,
      )
      assert.deepEqual([...had, ...ids(rest.events)].sort(), all, `going on after ${stop} batches`)
    }
  }),

  storageCase('a partition without a checkpoint is read from its start', async (store) => {
    const streams = Array.from({ length: 40 }, (_, n) => `order-${n}`)
    await Promise.all([...streams, 'customer-1'].map((streamId) => store.appended(streamId, 1)))
    const { batches, events } = await readWholeLog(store)
    const { checkpoint: kept } = batches.findLast((batch) => batch.topic.endsWith('.order.events'))!
    const others = ({ position }: RecordedEvent) =>
      position.topic !== kept.topic || position.partition !== kept.partition
    const expected = ids(events.filter(others)).sort()
    const rest = await subscribeUntil(store, { categories, from: [kept] }, (seen) => seen.length >= expected.length)
    assert.deepEqual(ids(rest.events).sort(), expected)
  }),

  storageCase('a position in the place of a checkpoint begins with its event', async (opened) => {
    await opened.appended('order-1', 3)
    // Between the two openings a claim may lie: what it rules is for the log to find out.
    const store = await opened.reopened()
    await store.appended('order-1', 2)
    const { events } = await readWholeLog(store, ['order'])
    const second = events.find(({ version }) => version === 2)!.position
    const from = [{ topic: second.topic, partition: second.partition, offset: second.offset }]
    const rest = await subscribeUntil(store, { categories: ['order'], from }, (seen) => seen.length >= 4)
    assert.deepEqual(ids(rest.events), ['order-1@2', 'order-1@3', 'order-1@4', 'order-1@5'])
  }),

  storageCase('checkpoints move past records that are no events, up to the end', async (opened) => {
    await opened.appended('order-1', 2)
    // Opening again may leave records in every partition, and nothing after them.
    const store = await (await opened.reopened()).reopened()
    const { batches } = await readWholeLog(store, ['order'])
    const ends = await store.eventLog.partitions('order')
    for (const checkpoint of checkpointsAfter(batches)) {
      assert.equal(checkpoint.offset, ends[checkpoint.partition]!.end, `partition ${checkpoint.partition}`)
    }
    const reading = subscribeUntil(
      store,
      { categories: ['order'], from: checkpointsAfter(batches) },
      (events) => events.length > 0,
    )
    await store.appended('order-1', 1)
    assert.deepEqual(ids((await reading).events), ['order-1@3'])
  }),

  storageCase('the checkpoints of a partition only move forward', async (store) => {
    const reading = subscribeUntil(store, { categories, from: 'start' }, (events) => events.length >= 60)
    for (let n = 0; n < 30; n++) await store.appended(`${categories[n % 2]}-${n}`, 2)
    const { batches } = await reading
    const latest = new Map<string, number>()
    for (const { topic, partition, checkpoint } of batches) {
      const key = `${topic}/${partition}`
      assert.ok(
        checkpoint.offset > (latest.get(key) ?? -1),
        `${key} went from ${latest.get(key)} to ${checkpoint.offset}`,
      )
      latest.set(key, checkpoint.offset)
    }
  }),

  storageCase('a partition too long for one batch is read without a gap or an overlap', async (store) => {
    const text = 'x'.repeat(2000)
    for (let n = 0; n < 26; n++) {
      await store.appended(
        'order-1',
        [...Array(100).keys()].map((index) => anEvent({ data: `${index} ${text}` })),
      )
    }
    const { batches, events } = await readWholeLog(store, ['order'])
    assert.deepEqual(
      events.map((event) => event.version),
      Array.from({ length: 2600 }, (_, index) => index + 1),
    )
    for (let stop = 1; stop < batches.length; stop++) {
      const had = batches.slice(0, stop).flatMap((batch) => batch.events).length
      if (had === 2600) break
      const options = { categories: ['order'], from: checkpointsAfter(batches.slice(0, stop)) }
      const next = await subscribeUntil(store, options, (seen) => seen.length > 0)
      assert.deepEqual(ids(next.events)[0], `order-1@${had + 1}`, `going on after ${stop} batches`)
    }
  }),

  storageCase('checkpoints of other categories and partitions do not matter', async (store) => {
    await store.appended('order-1', 1)
    await store.appended('customer-1', 1)
    const { batches } = await readWholeLog(store, ['customer'])
    const options = { categories: ['order'], from: checkpointsAfter(batches) }
    const { events } = await subscribeUntil(store, options, (seen) => seen.length >= 1)
    assert.deepEqual(ids(events), ['order-1@1'])
  }),

  storageCase('a checkpoint beyond the end of its partition is refused, not guessed at', async (store) => {
    const { position } = await store.appended('order-1', 1)
    const { batches } = await readWholeLog(store, ['order'])
    const beyond = checkpointsAfter(batches).map((checkpoint) =>
      checkpoint.partition === position.partition ? { ...checkpoint, offset: checkpoint.offset + 1000 } : checkpoint,
    )
    const reading = subscribeUntil(store, { categories: ['order'], from: beyond }, () => true)
    await assert.rejects(() => reading, withCode('LOG_TRUNCATED'))
  }),
]
