// Contract of the log: which partition, in which order, at which positions, to which subscribers.
import assert from 'node:assert/strict'
import { ids, readWholeLog, storageCase, subscribeUntil } from './storage-scenario.js'

const streams = (count: number, category = 'order') => Array.from({ length: count }, (_, n) => `${category}-${n}`)

export const eventLogOrder = [
  storageCase(
    'the partitions of a category are numbered from 0, share a topic, and grow by what is appended',
    async (store) => {
      const before = await store.eventLog.partitions('order')
      assert.ok(before.length > 0, 'no partitions')
      assert.deepEqual(
        before.map(({ partition }) => partition),
        [...before.keys()],
      )
      assert.equal(new Set(before.map(({ topic }) => topic)).size, 1)
      for (const { start, end } of before) assert.ok(start >= 0 && start <= end, `from ${start} to ${end}`)

      const { position } = await store.appended('order-1', 3)
      const after = await store.eventLog.partitions('order')
      assert.equal(after[position.partition]!.topic, position.topic)
      assert.equal(after[position.partition]!.end, position.offset + 1)
      for (const { partition, end } of before) {
        if (partition !== position.partition)
          assert.equal(after[partition]!.end, end, `partition ${partition} grew too`)
      }
    },
  ),

  storageCase('a stream stays in one partition, in order; offsets rise within a partition', async (store) => {
    for (let round = 0; round < 4; round++) {
      await Promise.all(streams(30).map((streamId) => store.appended(streamId, 2)))
    }
    const { events, batches } = await readWholeLog(store, ['order'])
    assert.equal(events.length, 240)
    for (const streamId of streams(30)) {
      const own = events.filter((event) => event.streamId === streamId)
      assert.deepEqual(
        own.map((event) => event.version),
        [1, 2, 3, 4, 5, 6, 7, 8],
        streamId,
      )
      assert.equal(
        new Set(own.map((event) => event.position.partition)).size,
        1,
        `${streamId} is in several partitions`,
      )
    }
    const offsets = new Map<number, number>()
    for (const { topic, partition, events: some, checkpoint, end } of batches) {
      for (const { position } of some) {
        assert.deepEqual([position.topic, position.partition], [topic, partition])
        assert.ok(position.offset > (offsets.get(partition) ?? -1), `offset ${position.offset} comes late or twice`)
        offsets.set(partition, position.offset)
      }
      assert.deepEqual([checkpoint.topic, checkpoint.partition], [topic, partition])
      assert.ok(checkpoint.offset > (offsets.get(partition) ?? -1), 'the checkpoint lies before an event of its batch')
      assert.ok(checkpoint.offset <= end, 'the checkpoint lies beyond the end')
    }
  }),

  storageCase('streams spread over the partitions', async (store) => {
    const partitions = await store.eventLog.partitions('order')
    const results = await Promise.all(streams(200).map((streamId) => store.appended(streamId, 1)))
    const used = new Set(results.map(({ position }) => position.partition))
    assert.equal(used.size, partitions.length, `200 streams use ${used.size} of ${partitions.length} partitions`)
  }),

  storageCase(
    'the log and the streams hold the same events, at the positions the appends were answered with',
    async (store) => {
      const answered = new Map<string, unknown>()
      for (const streamId of streams(10)) {
        const { position, version } = await store.appended(streamId, 3)
        answered.set(`${streamId}@${version}`, position)
      }
      const { events } = await readWholeLog(store, ['order'])
      const plain = (all: typeof events) => all.map((event) => ({ ...event, data: [...event.data] }))
      for (const streamId of streams(10)) {
        const own = events.filter((event) => event.streamId === streamId)
        assert.deepEqual(plain(own), plain(await store.readAll(streamId)))
        assert.deepEqual(own.at(-1)!.position, answered.get(`${streamId}@3`))
      }
    },
  ),

  storageCase('the events of one append follow each other in the log', async (store) => {
    await Promise.all(streams(40).map((streamId) => store.appended(streamId, 3)))
    const { events } = await readWholeLog(store, ['order'])
    for (const { partition } of await store.eventLog.partitions('order')) {
      const own = events.filter((event) => event.position.partition === partition)
      for (let first = 0; first < own.length; first += 3) {
        const append = own.slice(first, first + 3)
        assert.deepEqual(
          ids(append),
          [1, 2, 3].map((version) => `${append[0]!.streamId}@${version}`),
        )
      }
    }
  }),

  storageCase('a subscription gives the categories it asks for and no others', async (store) => {
    await Promise.all([...streams(10), ...streams(10, 'customer')].map((streamId) => store.appended(streamId, 1)))
    for (const category of ['order', 'customer']) {
      const { events } = await readWholeLog(store, [category])
      assert.deepEqual(
        ids(events).sort(),
        streams(10, category)
          .map((id) => `${id}@1`)
          .sort(),
      )
    }
    assert.equal((await readWholeLog(store)).events.length, 20)
  }),

  storageCase('a subscription can be kept to some partitions', async (store) => {
    const results = await Promise.all(streams(40).map((streamId) => store.appended(streamId, 1)))
    const partition = results[0]!.position.partition
    const expected = results.filter(({ position }) => position.partition === partition).length
    const options = { categories: ['order'], from: 'start', partitions: [partition] } as const
    const { batches, events } = await subscribeUntil(store, options, (seen) => seen.length >= expected)
    assert.deepEqual([...new Set(batches.map((batch) => batch.partition))], [partition])
    assert.equal(events.length, expected)
  }),

  storageCase(
    'a waiting subscriber gets what is appended later, and every subscriber gets all of it',
    async (store) => {
      const options = { categories: ['order', 'customer'], from: 'start' } as const
      const subscribers = [1, 2, 3].map(() => subscribeUntil(store, options, (events) => events.length >= 50))
      for (let round = 0; round < 5; round++) {
        await Promise.all([...streams(5), ...streams(5, 'customer')].map((streamId) => store.appended(streamId, 1)))
      }
      const expected = [...streams(5), ...streams(5, 'customer')].flatMap((id) =>
        [1, 2, 3, 4, 5].map((n) => `${id}@${n}`),
      )
      for (const { events } of await Promise.all(subscribers)) assert.deepEqual(ids(events).sort(), expected.sort())
    },
  ),

  storageCase('a subscriber that takes its time misses nothing', async (store) => {
    await Promise.all(streams(20).map((streamId) => store.appended(streamId, 1)))
    let batchesSeen = 0
    const seen: string[] = []
    const slow = async () => {
      for await (const batch of store.eventLog.subscribe({ categories: ['order'], from: 'start' })) {
        seen.push(...ids(batch.events))
        if (seen.length >= 20 + 30 * 20) return
        // The log grows between two batches, faster than this subscriber reads.
        if (batchesSeen++ < 30) await Promise.all(streams(20).map((streamId) => store.appended(streamId, 1)))
      }
    }
    await slow()
    for (const streamId of streams(20)) {
      const versions = seen.filter((id) => id.startsWith(`${streamId}@`)).map((id) => Number(id.split('@')[1]))
      assert.deepEqual(
        versions,
        [...versions.keys()].map((index) => index + 1),
        streamId,
      )
    }
    assert.equal(seen.length, 620)
  }),

  storageCase(
    'a subscription from the end says where it begins; all that follows is in it, and nothing older',
    async (store) => {
      await Promise.all(streams(20).map((streamId) => store.appended(streamId, 1)))
      const partitions = await store.eventLog.partitions('order')
      let appending: Promise<unknown> | undefined
      const { events, batches } = await subscribeUntil(
        store,
        { categories: ['order'], from: 'end' },
        (events, batches) => {
          const begun = new Set(batches.map(({ partition }) => partition))
          if (begun.size === partitions.length)
            appending ??= Promise.all(streams(20).map((streamId) => store.appended(streamId, 1)))
          return events.length >= 20
        },
      )
      await appending
      for (const { partition, end } of partitions) {
        const first = batches.find((batch) => batch.partition === partition)!
        assert.deepEqual([first.events, first.checkpoint.offset], [[], end])
      }
      assert.deepEqual(
        ids(events).sort(),
        streams(20)
          .map((streamId) => `${streamId}@2`)
          .sort(),
      )
    },
  ),
]
