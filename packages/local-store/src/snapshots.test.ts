// A state from a snapshot and the events after it is the state of all the events; and a snapshot is never needed.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  Aggregate,
  AggregateId,
  Command,
  CommandHandler,
  createApplication,
  defineDecider,
  Event,
  EventHandler,
  type EventStorage,
  InMemorySnapshotStore,
  type Logger,
  type Message,
  noValidation,
  type Snapshot,
  silentLogger,
} from '@narrative/core'
import fc from 'fast-check'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { embeddedEventStore } from './embedded-event-store.js'

@Command('basket.change')
class Change {
  @AggregateId() readonly id = 'a'
  constructor(readonly changes: readonly (string | null)[] = []) {}
}

@Event('basket.changed')
class Changed {
  constructor(readonly item: string | null) {}
}

const seen: string[] = []

/** Shows what it decided upon; a null empties it. */
@Aggregate('basket', { snapshotEvery: 2 })
class Basket {
  private items: { name: string; count: number }[] = []
  /** Until it was emptied for the first time. */
  private untouched?: string | undefined = 'yes'
  private emptied = 0

  @CommandHandler(Change)
  change({ changes }: Change) {
    seen.push(this.shown)
    return changes.map((item) => new Changed(item))
  }

  @EventHandler(Changed)
  onChanged({ item }: Changed) {
    if (item === null) {
      this.emptied++
      this.untouched = undefined
      this.items = []
      return
    }
    const known = this.items.find(({ name }) => name === item)
    if (known === undefined) this.items.push({ name: item, count: 1 })
    else known.count++
  }

  get shown(): string {
    return JSON.stringify([this.items, this.untouched ?? 'no', this.emptied, this instanceof Basket])
  }
}

const root = mkdtempSync(join(tmpdir(), 'narrative-snapshots-'))
afterAll(() => rmSync(root, { recursive: true }))
let warnings: string[]
beforeEach(() => {
  seen.length = 0
  warnings = []
})
const logger: Logger = { ...silentLogger, warn: (_, message) => warnings.push(message) }

interface Reads {
  /** Events that were read, all in all. */
  events: number
}

/** A store in a directory that counts what is read from it. */
function storeIn(directory: string, reads: Reads = { events: 0 }): EventStorage {
  const store = embeddedEventStore({ directory, fsync: false })
  return {
    name: store.name,
    async open(context) {
      const opened = await store.open(context)
      const { eventStore } = opened
      return {
        ...opened,
        eventStore: {
          append: eventStore.append,
          findCommand: eventStore.findCommand,
          async *read(...range) {
            for await (const event of eventStore.read(...range)) {
              reads.events++
              yield event
            }
          },
        },
      }
    },
  }
}

const opened = (aggregate: object, directory: string, reads?: Reads) =>
  createApplication({
    aggregates: [aggregate],
    eventStore: storeIn(directory, reads),
    snapshots: new InMemorySnapshotStore({ max: 1 }),
    validator: noValidation,
    logger,
  })

test('for any history, cut into commands and restarts anywhere: the state of a snapshot and a tail is the fold', async () => {
  const item = fc.option(fc.constantFrom('x', 'y', 'z', '__proto__'), { freq: 2 })
  const command = fc.record({ changes: fc.array(item, { maxLength: 5 }), restart: fc.boolean() })
  await fc.assert(
    fc.asyncProperty(fc.array(command, { maxLength: 12 }), async (commands) => {
      const directory = mkdtempSync(join(root, 'history-'))
      let app = await opened(Basket, directory)
      const fold = new Basket()
      for (const { changes, restart } of commands) {
        seen.length = 0
        await app.commands.execute(new Change(changes))
        expect(seen).toEqual([fold.shown])
        for (const change of changes) fold.onChanged(new Changed(change))
        if (!restart) continue
        await app.stop()
        app = await opened(Basket, directory)
      }
      await app.stop()
      expect(warnings).toEqual([])
    }),
    { numRuns: 40 },
  )
}, 60_000)

test('after a restart only the events behind the snapshot are read', async () => {
  const directory = mkdtempSync(join(root, 'tail-'))
  const reads = { events: 0 }
  let app = await opened(Basket, directory, reads)
  for (let n = 0; n < 100; n++) await app.commands.execute(new Change(['x']))
  await app.stop()
  reads.events = 0
  app = await opened(Basket, directory, reads)
  await app.commands.execute(new Change(['y']))
  expect(reads.events).toBe(2) // a snapshot of version 98
  expect(seen.at(-1)).toContain('"count":100')
  await app.stop()
})

type Add = Message<'sum.add', { by: number }>
type Added = Message<'sum.added', { by: number }>

/** A decider that shows the state it decides upon. */
function sum<State>(form: {
  revision?: number
  initial: State
  add(state: State, by: number): State
  show(state: State): unknown
  toSnapshot?(state: State): unknown
  fromSnapshot?(data: any): State
}) {
  const { revision, toSnapshot, fromSnapshot } = form
  return defineDecider<State, Add, Added>({
    category: 'sum',
    revision,
    snapshotEvery: 2,
    ...(toSnapshot && { toSnapshot }),
    ...(fromSnapshot && { fromSnapshot }),
    commands: { 'sum.add': {} },
    events: { 'sum.added': {} },
    identify: () => 'one',
    initial: () => form.initial,
    decide: ({ data }, state) => {
      seen.push(String(form.show(state)))
      return { type: 'sum.added', data }
    },
    evolve: (state, { data }) => form.add(state, data.by),
  })
}

/** What the decider saw, before and after a restart. */
async function seenBy(before: object, after: object, between: (directory: string) => Promise<void> = async () => {}) {
  const directory = mkdtempSync(join(root, 'sum-'))
  const app = await opened(before, directory)
  for (const by of [1, 2, 3, 4, 5]) await app.commands.execute({ type: 'sum.add', data: { by } })
  await app.stop()
  await between(directory)
  const again = await opened(after, directory)
  seen.length = 0
  await again.commands.execute({ type: 'sum.add', data: { by: 0 } })
  await again.stop()
  return seen[0]
}

const plain = { initial: 0, add: (total: number, by: number) => total + by, show: (total: number) => total }
const doubled = { ...plain, add: (total: number, by: number) => total + 2 * by }

test('a snapshot of another revision is discarded', async () => {
  expect(await seenBy(sum(plain), sum({ ...doubled, revision: 2 }))).toBe('30')
  // The proof that it would have been taken: the same without a new revision.
  expect(await seenBy(sum(plain), sum(doubled))).toBe('20')
})

test('a state that JSON does not give back is refused with the reason, unless the aggregate says how', async () => {
  const dates = {
    initial: { total: new Map([['all', 0]]) },
    add: ({ total }: { total: Map<string, number> }, by: number) => ({
      total: new Map([['all', total.get('all')! + by]]),
    }),
    show: ({ total }: { total: Map<string, number> }) => total.get('all'),
  }
  expect(await seenBy(sum(dates), sum(dates))).toBe('15')
  expect(warnings.join()).toContain(
    'No snapshots of sum are kept: the state.total is a Map, which comes back from JSON as something else. Give the aggregate toSnapshot',
  )
  warnings = []
  const hooks = {
    ...dates,
    toSnapshot: ({ total }: { total: Map<string, number> }) => [...total],
    fromSnapshot: (entries: [string, number][]) => ({ total: new Map(entries) }),
  }
  expect(await seenBy(sum(hooks), sum(hooks))).toBe('15')
  expect(warnings).toEqual([])
})

test.each<[string, object]>([
  [
    'one that cannot be read back',
    sum({
      ...plain,
      fromSnapshot: () => {
        throw new Error('of another time')
      },
    }),
  ],
  [
    'one that later events cannot be folded into',
    sum({
      ...plain,
      fromSnapshot: () => Number.NaN,
      add: (total, by) => {
        if (Number.isNaN(total)) throw new Error('no number')
        return total + by
      },
    }),
  ],
])('%s is ignored with a warning', async (_, after) => {
  expect(await seenBy(sum(plain), after)).toBe('15')
  expect(warnings.join()).toContain('The snapshot of sum-one cannot be read back')
})

test('what nobody can say is a fault at the start', async () => {
  @Aggregate('hidden', { snapshotEvery: 0 })
  class Hidden {
    #count = 0
    @CommandHandler(Change) change() {
      return new Changed(String(this.#count))
    }
    @EventHandler(Changed) onChanged() {
      this.#count++
    }
  }
  @Aggregate('half', { snapshotEvery: 5 })
  class Half {
    @CommandHandler(Add2) add() {}
    @EventHandler(Changed) onChanged() {}
    toSnapshot() {
      return {}
    }
  }
  const starting = createApplication({ aggregates: [Hidden, Half], logger })
  await expect(starting).rejects.toMatchObject({
    code: 'STARTUP_FAULTS',
    message: expect.stringMatching(/whole number[\s\S]*#fields[\s\S]*one of toSnapshot/),
  })
})

@Command('half.add')
class Add2 {
  @AggregateId() readonly id = 'a'
}

test('a snapshot is in the directory, and is no part of it that is needed', async () => {
  const directory = mkdtempSync(join(root, 'state-'))
  const app = await opened(Basket, directory)
  for (let n = 0; n < 5; n++) await app.commands.execute(new Change(['x']))
  await app.stop()
  const store = await embeddedEventStore({ directory }).open({ categories: ['basket'] })
  const found = store.snapshots!.load('basket-a') as Snapshot
  expect(found).toEqual({
    state: { items: [{ name: 'x', count: 4 }], untouched: 'yes', emptied: 0 },
    version: 4,
    revision: 1,
  })
  store.snapshots!.discard('basket-a')
  await store.close()
  const again = await opened(Basket, directory)
  await again.commands.execute(new Change(['x']))
  expect(seen.at(-1)).toContain('"count":5')
  await again.stop()
})
