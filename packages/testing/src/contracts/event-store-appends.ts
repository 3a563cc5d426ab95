// Contract of EventStore.append: versions, conflicts, atomicity, and what is stored.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { anEvent, ids, mustAppend, someEvents, storageCase } from './storage-scenario.js'

export const eventStoreAppends = [
  storageCase('a new stream starts at version 1', async (store) => {
    const result = await store.appended('order-1', 1, { expectedVersion: 0 })
    const { topic, partition, offset } = result.position
    assert.deepEqual(
      { ...result, position: undefined },
      { outcome: 'appended', firstVersion: 1, version: 1, duplicate: false, position: undefined },
    )
    assert.match(topic, /^[a-zA-Z0-9._-]+\.order\.events$/)
    assert.ok(Number.isSafeInteger(partition) && partition >= 0, `partition ${partition}`)
    assert.ok(Number.isSafeInteger(offset) && offset >= 0, `offset ${offset}`)
  }),

  storageCase('expected version 0 conflicts with a stream that exists', async (store) => {
    await store.appended('order-1', 2)
    assert.deepEqual(await store.append('order-1', 1, { expectedVersion: 0 }), {
      outcome: 'conflict',
      actualVersion: 2,
    })
  }),

  storageCase('the expected version n appends at n + 1', async (store) => {
    await store.appended('order-1', 2, { expectedVersion: 0 })
    const second = await store.appended('order-1', 3, { expectedVersion: 2 })
    assert.deepEqual([second.firstVersion, second.version], [3, 5])
    assert.deepEqual(
      ids(await store.readAll('order-1')),
      [1, 2, 3, 4, 5].map((version) => `order-1@${version}`),
    )
  }),

  storageCase('every other expected version is a conflict that writes nothing', async (store) => {
    await store.appended('order-1', 3)
    for (const expectedVersion of [0, 1, 2, 4, 1000]) {
      const result = await store.append('order-1', 3, { expectedVersion })
      assert.deepEqual(result, { outcome: 'conflict', actualVersion: 3 }, `expected version ${expectedVersion}`)
    }
    assert.deepEqual(await store.append('order-2', 1, { expectedVersion: 1 }), {
      outcome: 'conflict',
      actualVersion: 0,
    })
    assert.equal((await store.readAll('order-1')).length, 3)
    assert.deepEqual(await store.readAll('order-2'), [])
  }),

  storageCase('any version appends to a new and to an existing stream', async (store) => {
    assert.equal((await store.appended('order-1', 2, { expectedVersion: 'any' })).version, 2)
    assert.equal((await store.appended('order-1', 2, { expectedVersion: 'any' })).version, 4)
  }),

  storageCase('the events of one append are adjacent and in order', async (store) => {
    const events = someEvents(10)
    await store.appended('order-1', 1)
    const result = await store.appended('order-1', events)
    const read = await store.readAll('order-1', { from: 2 })
    assert.deepEqual(
      read.map((event) => event.id),
      events.map((event) => event.id),
    )
    const last = result.position.offset
    assert.deepEqual(
      read.map((event) => event.position.offset),
      Array.from({ length: 10 }, (_, index) => last - 9 + index),
    )
    assert.deepEqual(read.at(-1)!.position, result.position)
  }),

  storageCase('an append of no events is refused', async (store) => {
    await assert.rejects(() => store.append('order-1', []))
    await store.appended('order-1', 1)
    await assert.rejects(() => store.append('order-1', []))
    assert.equal((await store.readAll('order-1')).length, 1)
  }),

  storageCase('an event comes back as it was given', async (store) => {
    const everyByte = Uint8Array.from({ length: 256 }, (_, byte) => byte)
    const given = [
      { id: randomUUID(), type: 'order.placed', schemaVersion: 7, contentType: 'application/json', data: everyByte },
      {
        id: randomUUID(),
        type: 'bestellung.größer_😀',
        schemaVersion: 1,
        contentType: 'application/avro',
        data: everyByte,
      },
      { id: randomUUID(), type: 'order.emptied', schemaVersion: 1, contentType: 'text/plain', data: new Uint8Array(0) },
    ]
    const metadata = {
      commandId: 'key / ü "quoted" ; ,= %00',
      correlationId: 'story–1',
      causationId: 'because 😀',
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    }
    await store.eventStore.append('order-1', given, { expectedVersion: 0, metadata })
    const read = await store.readAll('order-1')
    assert.equal(read.length, 3)
    for (const [index, event] of read.entries()) {
      const { id, type, schemaVersion, contentType, data } = event
      assert.deepEqual(
        { id, type, schemaVersion, contentType, data: [...data] },
        { ...given[index]!, data: [...given[index]!.data] },
      )
      assert.deepEqual({ ...event.metadata }, metadata)
      assert.deepEqual([event.streamId, event.version], ['order-1', index + 1])
    }
  }),

  storageCase('an event without a trace context comes back without one', async (store) => {
    await store.appended('order-1', 1)
    const [event] = await store.readAll('order-1')
    assert.equal(event!.metadata.traceparent, undefined)
  }),

  storageCase('large events and appends of many events are stored whole', async (store) => {
    const large = anEvent({ data: new Uint8Array(200_000).fill(120) })
    await store.appended('order-1', [large])
    const many = Array.from({ length: 500 }, (_, index) => anEvent({ data: `${index} ${'x'.repeat(1000)}` }))
    await store.appended('order-1', many, { expectedVersion: 1 })
    const read = await store.readAll('order-1')
    assert.equal(read.length, 501)
    assert.ok(Buffer.from(read[0]!.data).equals(large.data), 'the large event came back changed')
    for (const [index, event] of many.entries()) {
      assert.ok(Buffer.from(read[index + 1]!.data).equals(event.data), `event ${index} came back changed`)
    }
  }),

  storageCase('streams whose ids look alike are different streams', async (store) => {
    const streams = [
      ...['1', '11', '01', '1-1', '-1', '-', 'a', 'A', 'a ', ' a', 'a/b', 'a:b', 'a%2Fb', 'a\\b', '"a"', "'a'"],
      ...['é', 'e\u0301', '😀', '日本', 'ß', 'ss', '__proto__', 'constructor', 'toString', 'null', 'x'.repeat(500)],
    ].flatMap((id) => [`order-${id}`, `customer-${id}`])
    await Promise.all(
      streams.map((streamId) => store.appended(streamId, [anEvent({ data: streamId })], { expectedVersion: 0 })),
    )
    for (const streamId of streams) {
      const read = await store.readAll(streamId)
      assert.deepEqual(ids(read), [`${streamId}@1`])
      assert.equal(Buffer.from(read[0]!.data).toString(), JSON.stringify(streamId))
    }
  }),

  storageCase('of concurrent appends to one version, one wins', async (store) => {
    for (let version = 0; version < 5; version++) {
      const results = await Promise.all(
        Array.from({ length: 20 }, () => store.append('order-1', 1, { expectedVersion: version })),
      )
      const won = results.filter((result) => result.outcome === 'appended')
      const lost = results.filter((result) => result.outcome === 'conflict')
      assert.equal(won.length, 1, `${won.length} of 20 appends at version ${version} won`)
      assert.deepEqual([...new Set(lost.map((result) => result.actualVersion))], [version + 1])
    }
    assert.equal((await store.readAll('order-1')).length, 5)
  }),

  storageCase('writers that load again after a conflict all get through, one version each', async (store) => {
    const write = async () => {
      for (let tries = 1; ; tries++) {
        assert.ok(tries <= 100, 'a writer did not get through in 100 tries')
        const expectedVersion = (await store.readAll('order-1')).length
        if ((await store.append('order-1', 2, { expectedVersion })).outcome === 'appended') return
      }
    }
    await Promise.all(Array.from({ length: 12 }, write))
    const read = await store.readAll('order-1')
    assert.deepEqual(
      read.map((event) => event.version),
      Array.from({ length: 24 }, (_, index) => index + 1),
    )
    for (let first = 0; first < 24; first += 2) {
      const commands = [read[first]!, read[first + 1]!].map((event) => event.metadata.commandId)
      assert.equal(commands[0], commands[1], `versions ${first + 1} and ${first + 2} are of different appends`)
    }
  }),

  storageCase('concurrent appends without a check all get versions of their own', async (store) => {
    const results = await Promise.all(Array.from({ length: 50 }, () => store.appended('order-1', 2)))
    const versions = results.map((result) => result.version).sort((a, b) => a - b)
    assert.deepEqual(
      versions,
      Array.from({ length: 50 }, (_, index) => 2 * index + 2),
    )
    const offsets = results.map((result) => result.position.offset)
    assert.equal(new Set(offsets).size, 50)
  }),

  storageCase('many streams are written at once without touching each other', async (store) => {
    const streams = Array.from({ length: 300 }, () => `order-${randomUUID()}`)
    await Promise.all(streams.map((streamId) => store.appended(streamId, 2, { expectedVersion: 0 })))
    const results = await Promise.all(streams.map((streamId) => store.append(streamId, 1, { expectedVersion: 2 })))
    assert.ok(results.every((result) => mustAppend(result).version === 3))
    for (const streamId of streams) {
      assert.deepEqual(ids(await store.readAll(streamId)), [`${streamId}@1`, `${streamId}@2`, `${streamId}@3`])
    }
  }),

  storageCase('events carry the time of the clock, and time never goes back within a stream', async (store) => {
    const instants: number[] = []
    for (const step of [0, 1000, 0, -5000, 10_000]) {
      store.clock.advance(step)
      instants.push(store.clock.now())
      await store.appended('order-1', 2)
    }
    const times = (await store.readAll('order-1')).map((event) => event.time)
    let latest = 0
    const expected = instants.flatMap((instant) => {
      latest = Math.max(latest, instant)
      return [latest, latest]
    })
    assert.deepEqual(times, expected)
  }),
]
