// Contract of the event store as a whole: any sequence of appends gives what a ten-line model of it gives.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { readWholeLog, someEvents, storageCase } from './storage-scenario.js'

const anAppend = fc.record({
  stream: fc.integer({ min: 0, max: 3 }),
  events: fc.integer({ min: 1, max: 3 }),
  /** How far the expected version is from the actual one; null asks for no check. */
  drift: fc.option(fc.constantFrom(0, 0, 0, -1, 1), { nil: null }),
  /** Few, so that some come again. */
  command: fc.integer({ min: 0, max: 12 }),
})

/** A stream as the model sees it: the ids of its events, and the version each command left it at. */
interface ModelStream {
  readonly ids: string[]
  readonly commands: Map<string, number>
}

export const eventStoreProperties = [
  storageCase('any sequence of appends does what the model of a store does', async (store) => {
    await fc.assert(
      fc.asyncProperty(fc.array(anAppend, { minLength: 1, maxLength: 25 }), async (appends) => {
        const run = randomUUID()
        const model = new Map<string, ModelStream>()
        for (const { stream, events, drift, command } of appends) {
          const streamId = `order-${run}-${stream}`
          const commandId = `${command}`
          const known: ModelStream = model.get(streamId) ?? { ids: [], commands: new Map() }
          model.set(streamId, known)
          const version = known.ids.length
          const expectedVersion = drift === null ? 'any' : Math.max(0, version + drift)
          const given = someEvents(events)
          const result = await store.append(streamId, given, { expectedVersion, commandId })

          const earlier = known.commands.get(commandId)
          if (earlier !== undefined) {
            assert.ok(result.outcome === 'appended' && result.duplicate && result.version === earlier, 'a duplicate')
          } else if (expectedVersion !== 'any' && expectedVersion !== version) {
            assert.deepEqual(result, { outcome: 'conflict', actualVersion: version })
          } else {
            assert.ok(result.outcome === 'appended' && !result.duplicate, 'a new append')
            assert.deepEqual([result.firstVersion, result.version], [version + 1, version + events])
            known.ids.push(...given.map((event) => event.id))
            known.commands.set(commandId, result.version)
          }
        }
        for (const [streamId, { ids }] of model) {
          const read = await store.readAll(streamId)
          assert.deepEqual(
            read.map((event) => event.id),
            ids,
          )
        }
      }),
      { numRuns: 25 },
    )
    const { events } = await readWholeLog(store)
    const next = new Map<string, number>()
    for (const { streamId, version } of events) {
      assert.equal(version, (next.get(streamId) ?? 0) + 1, `the log breaks the order of ${streamId}`)
      next.set(streamId, version)
    }
  }),
]
