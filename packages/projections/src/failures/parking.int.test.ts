// Events that fail are parked with all later ones of their key; redriven, the read model is the fold of the whole log, in order.
import { silentLogger, systemClock } from '@narrative/core'
import fc from 'fast-check'
import type pg from 'pg'
import { expect, test } from 'vitest'
import { databasePerFile } from '../application/database.test-support.js'
import {
  Order,
  OrderCancelled,
  OrderErased,
  OrderPlaced,
  OrderRepriced,
  OrdersView,
  OrderViewed,
  orders,
} from '../application/orders.test-support.js'
import { bindProjection } from '../definition/bind-projection.js'
import { defineProjection, memoryReadModels, postgresReadModels, readProjection } from '../index.js'
import { memoryProjection } from '../memory/memory-projection.js'
import { Follower } from '../runtime/follower.js'
import { type Happening, histories, logOf, partContext, rowsOf } from '../runtime/history.test-support.js'
import type { ReadModels } from '../runtime/read-models.js'
import { TableSession } from '../runtime/table-session.js'
import type { DeadLetters } from './dead-letter.js'

const database = databasePerFile()

/** What a run of a projection needs to be checked, whatever it writes to. */
interface Subject {
  readonly bound: ReturnType<typeof bindProjection>['bound']
  readonly open: ConstructorParameters<typeof Follower>[0]['open']
  readonly letters: DeadLetters
  /** Compares what it wrote with what it must have, given what of the history was applied. */
  check(applied: readonly Happening[]): Promise<void>
}

/** Throws for chosen events, until it is repaired. */
class Trouble {
  repaired = false
  constructor(private readonly failing: ReadonlySet<string>) {}
  visit(orderId: string, version: number): void {
    if (!this.repaired && this.failing.has(`${orderId}@${version}`)) throw new Error(`No ${orderId}@${version}.`)
  }
  /** What is applied as long as nothing is repaired: of each order, all before the first event that fails. */
  before(history: readonly Happening[]): Happening[] {
    const versions = new Map<number, number>()
    const blocked = new Set<number>()
    return history.map((happening) => {
      const { order, event } = happening
      const version = (versions.get(order) ?? 0) + 1
      versions.set(order, version)
      if (!(event instanceof OrderViewed) && this.failing.has(`${order}@${version}`)) blocked.add(order)
      // An event that no projection handles in the place of one that is not applied: the versions stay what they are.
      return blocked.has(order) ? { order, event: new OrderViewed('nobody') } : happening
    })
  }
}

const onFailure = { retries: 0 } as const
const events = [OrderPlaced, OrderRepriced, OrderCancelled, OrderErased]
const names = ['order.placed', 'order.repriced', 'order.cancelled', 'order.erased']

function tableSubject(store: ReadModels, trouble: Trouble): Subject {
  const { definition } = readProjection(OrdersView)
  const handlers = definition.handlers.map((handler) => ({
    ...handler,
    handle(row: unknown, event: unknown, context: { aggregateId: string; version: number }) {
      trouble.visit(context.aggregateId, context.version)
      return handler.handle.call(this, row, event, context)
    },
  }))
  const troubled = { ...definition, handlers, onFailure: { retries: 0, action: 'park' as const } }
  const { bound } = bindProjection(troubled, partContext(), () => new OrdersView())
  return {
    bound,
    open: async (partitions, listener, suspects) =>
      new TableSession(bound, await store.openTable(bound, partitions), listener, suspects),
    letters: store.letters(bound),
    async check(applied) {
      const rows = await store.reader(orders).findWhere({}, { limit: 1000 })
      expect(new Map(rows.map((row) => [row.orderId, row]))).toEqual(rowsOf(applied))
    },
  }
}

/** Versions by order, in the order of their application. */
function journalOf(history: readonly Happening[]): Map<string, number[]> {
  const journal = new Map<string, number[]>()
  const versions = new Map<number, number>()
  for (const { order, event } of history) {
    const version = (versions.get(order) ?? 0) + 1
    versions.set(order, version)
    if (event instanceof OrderViewed) continue
    const orderId = String(order)
    journal.set(orderId, [...(journal.get(orderId) ?? []), version])
  }
  return journal
}

function sqlSubject(store: ReadModels, trouble: Trouble): Subject {
  const definition = defineProjection({
    name: 'journal',
    from: [Order],
    onFailure,
    sql: {
      setup: 'CREATE TABLE IF NOT EXISTS journal (n serial, order_id text, version integer)',
      reset: 'DELETE FROM journal',
    },
    on: Object.fromEntries(
      names.map((name) => [
        name,
        async (
          _event: unknown,
          { client, aggregateId, version }: { client: pg.ClientBase; aggregateId: string; version: number },
        ) => {
          await client.query('INSERT INTO journal (order_id, version) VALUES ($1, $2)', [aggregateId, version])
          trouble.visit(aggregateId, version)
        },
      ]),
    ),
  })
  const { bound } = bindProjection(definition, partContext(), () => undefined)
  return {
    bound,
    open: store.openSql(bound),
    letters: store.letters(bound),
    async check(applied) {
      const { rows } = await database.pool.query(
        'SELECT order_id, array_agg(version ORDER BY n) AS versions FROM journal GROUP BY 1',
      )
      expect(new Map(rows.map((row) => [row.order_id, row.versions]))).toEqual(journalOf(applied))
    },
  }
}

function memorySubject(trouble: Trouble): Subject {
  const journal = new Map<string, number[]>()
  const definition = defineProjection({
    name: 'journal',
    from: [Order],
    onFailure,
    on: Object.fromEntries(
      names.map((name) => [
        name,
        (_event: unknown, { aggregateId, version }: { aggregateId: string; version: number }) => {
          trouble.visit(aggregateId, version)
          journal.set(aggregateId, [...(journal.get(aggregateId) ?? []), version])
        },
      ]),
    ),
  })
  const { bound } = bindProjection(definition, partContext(), () => undefined)
  return {
    bound,
    ...memoryProjection(bound),
    check: async (applied) => expect(journal).toEqual(journalOf(applied)),
  }
}

const failing = fc.uniqueArray(fc.tuple(fc.nat(9), fc.integer({ min: 1, max: 12 })), { maxLength: 12 })
const cuts = fc.infiniteStream(fc.integer({ min: 1, max: 20 }))

async function run({ bound, open }: Subject, log: ReturnType<typeof logOf>) {
  const { name, categories, onFailure } = bound
  const follower = new Follower({
    name,
    categories,
    onFailure,
    clock: systemClock,
    eventLog: log,
    logger: silentLogger,
    open,
  })
  await follower.start()
  await follower.caughtUp()
  return follower
}

async function checkParking(subject: Subject, trouble: Trouble, history: readonly Happening[], cut: Iterator<number>) {
  // Half of the history before, half after something was parked; and a restart in between.
  const next = () => cut.next().value as number
  const first = history.slice(0, history.length / 2)
  const before = await run(subject, logOf(first, next))
  await before.stop()
  await subject.check(trouble.before(first))
  const log = logOf(history, next)
  const follower = await run(subject, log)
  await subject.check(trouble.before(history))
  const letters = await subject.letters.list({ limit: 10_000 })
  expect(follower.parked).toBe(letters.length)
  for (const { failure, attempts } of letters) expect(attempts).toBe(failure === undefined ? 0 : 1)

  // Redriven before it is repaired: nothing is lost, nothing changes.
  await subject.letters.ask('redrive', 'all')
  await follower.attend()
  await subject.check(trouble.before(history))
  expect(await subject.letters.count()).toBe(letters.length)

  trouble.repaired = true
  const [one] = letters
  if (one !== undefined) {
    // One key alone, and of another one only an event that waits: it must not overtake.
    await subject.letters.ask('redrive', { key: one.key })
    const waiting = letters.find(({ key, attempts }) => key !== one.key && attempts === 0)
    if (waiting !== undefined) await subject.letters.ask('redrive', { position: waiting.event.position })
    await follower.attend()
    const rest = await subject.letters.list({ limit: 10_000 })
    expect(rest.map(({ key }) => key)).not.toContain(one.key)
    expect(rest).toHaveLength(letters.filter(({ key }) => key !== one.key).length)
  }
  await subject.letters.ask('redrive', 'all')
  while ((await subject.letters.count()) > 0) await follower.attend()
  expect(follower.parked).toBe(0)
  await follower.stop()
  await subject.check(history)
}

test('a worker that slept through a redrive finds out at its next commit, although the offset is where it was', async () => {
  const trouble = new Trouble(new Set(['0@1']))
  const store = postgresReadModels({ pool: database.pool })
  const subject = await prepared(() => tableSubject(store, trouble))
  const log = logOf([{ order: 0, event: new OrderPlaced('', 'ada', [], 1) }], () => 1)
  const follower = await run(subject, log)
  const asleep = await store.openTable(subject.bound, log.ends)
  trouble.repaired = true
  await subject.letters.ask('redrive', 'all')
  await follower.attend()
  const to = asleep.checkpoints.find(({ partition }) => partition === 0)!
  const changes = { rows: [], letters: { settled: [], parked: [] } }
  const late = asleep.commit({ ...changes, moves: [{ from: to.offset, to: { ...to, offset: to.offset + 1 } }] })
  await expect(late).rejects.toMatchObject({ code: 'CHECKPOINT_MOVED' })
  await follower.stop()
})

const kinds: [string, (trouble: Trouble) => Promise<Subject>][] = [
  ['a table in memory', async (trouble) => tableSubject(memoryReadModels(), trouble)],
  ['state of its own in memory', async (trouble) => memorySubject(trouble)],
  ['a table in Postgres', async (trouble) => prepared((store) => tableSubject(store, trouble))],
  ['SQL of its own', async (trouble) => prepared((store) => sqlSubject(store, trouble))],
]

async function prepared(create: (store: ReadModels) => Subject): Promise<Subject> {
  await database.pool.query(
    'DROP TABLE IF EXISTS orders, journal, narrative_projections, narrative_checkpoints, narrative_dead_letters',
  )
  const store = postgresReadModels({ pool: database.pool })
  const subject = create(store)
  expect(await store.setup([subject.bound], silentLogger)).toEqual([])
  return subject
}

test.each(kinds)(
  'redriven, everything is applied, in order and once: %s',
  { timeout: 180_000 },
  async (_kind, create) => {
    expect(events).toHaveLength(names.length)
    await fc.assert(
      fc.asyncProperty(histories, failing, cuts, async (history, failures, cut) => {
        const trouble = new Trouble(new Set(failures.map(([order, version]) => `${order}@${version}`)))
        await checkParking(await create(trouble), trouble, history, cut[Symbol.iterator]())
      }),
      // No limit of time: a run that is interrupted goes on, and the tables are those of the next one.
      { numRuns: 40 },
    )
  },
)
