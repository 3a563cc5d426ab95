// What happens when something goes wrong: a handler, a row, Postgres, a second worker.
import { randomUUID } from 'node:crypto'
import {
  Aggregate,
  CommandHandler,
  createApplication,
  Event,
  EventHandler as Evolve,
  inMemoryEventStore,
  type NewEvent,
  noValidation,
  type Position,
  silentLogger,
} from '@narrative/core'
import pg from 'pg'
import { expect, test, vi } from 'vitest'
import {
  defineProjection,
  EventHandler,
  memoryReadModels,
  Projection,
  type ProjectionLike,
  postgresReadModels,
  projections,
  type ReadModels,
  type SqlProjectionContext,
  table,
} from '../index.js'
import { codec, partContext } from '../runtime/history.test-support.js'
import { Counting } from './counting.test-support.js'
import { databasePerTest } from './database.test-support.js'
import { Order, OrderPlaced, OrderRepriced, OrdersView, RecordEvents } from './orders.test-support.js'

const database = databasePerTest()

async function run(classes: ProjectionLike[], store: ReadModels = postgresReadModels({ url: database.url })) {
  const views = projections(classes, { store })
  const app = await createApplication({
    aggregates: [Order],
    parts: [views],
    validator: noValidation,
    logger: silentLogger,
  })
  database.stopLater(() => app.stop())
  const append = async (orderId: string, ...events: object[]) => {
    const { position } = await app.commands.execute(new RecordEvents({ orderId, events }))
    return position!
  }
  const wait = (position: Awaited<ReturnType<typeof append>>, readModel?: object, timeout = 10_000) =>
    views.waitFor!(position, readModel === undefined ? { timeout } : { readModel, timeout })
  return { views, app, append, wait }
}

const placed = (total: number) => new OrderPlaced('', 'ada', [], total)

const totals = table('totals', { key: 'orderId', columns: { orderId: 'text', total: 'bigint' } })

@Projection('totals-view', { from: [Order], table: totals, onFailure: { retries: 0, action: 'stop' } })
class TotalsView {
  @EventHandler(OrderPlaced) placed(
    _row: { orderId: string; total: number } | undefined,
    event: OrderPlaced,
    { aggregateId }: { aggregateId: string },
  ) {
    if (event.total === 13) throw new Error('Thirteen.')
    return { orderId: aggregateId, total: event.total }
  }
}

test.each(['memory', 'postgres'])(
  'a handler that fails stops its projection alone, when that is wanted, on %s',
  async (kind) => {
    const store = kind === 'memory' ? memoryReadModels() : postgresReadModels({ url: database.url })
    const { app, append, wait } = await run([TotalsView, OrdersView], store)
    const good = await append('a', placed(1))
    await wait(good)
    const bad = await append('a', placed(13))
    await wait(bad, OrdersView)
    await expect(wait(bad, TotalsView)).rejects.toMatchObject({
      code: 'PROJECTION_STOPPED',
      message: expect.stringMatching(
        /^Projection totals-view stopped at event order.placed \(stream order-a, version 2, memory.order.events\/\d@\d+\) in TotalsView.placed: Thirteen\. /,
      ),
      details: {
        projection: 'totals-view',
        eventType: 'order.placed',
        streamId: 'order-a',
        version: 2,
        position: bad,
        handler: 'TotalsView.placed',
      },
      cause: new Error('Thirteen.'),
    })
    await wait(good, TotalsView)
    expect(app.health()).toEqual({ ready: false, reasons: [expect.stringContaining('totals-view stopped at event')] })
    expect(await store.reader(totals).findByKey('a')).toEqual({ orderId: 'a', total: 1 })
  },
)

const parked = { name: 'totals-view', from: [Order], table: totals, onFailure: { retries: 1 } } as const
const Totals = defineProjection({
  ...parked,
  on: { 'order.placed': (_row, event: OrderPlaced, { aggregateId }) => ({ orderId: aggregateId, total: event.total }) },
})

test('a row that Postgres refuses parks its own events; the others of the same commit are stored', async () => {
  const { append, wait, views } = await run([Totals])
  await wait(await append('a', placed(1)))
  await database.pool.query('ALTER TABLE totals ADD CHECK (total < 100)')
  const bad = await append('a', placed(500))
  for (const [i, orderId] of ['b', 'c'].entries()) await append(orderId, placed(3 + i))
  await expect(wait(bad)).rejects.toMatchObject({ code: 'EVENT_PARKED', details: { position: bad } })
  const behind = await append('a', placed(2))
  await expect(wait(behind)).rejects.toMatchObject({ code: 'EVENT_PARKED' })
  await wait(await append('d', placed(5)))
  const rows = async () => (await database.pool.query('SELECT order_id, total::int FROM totals ORDER BY 1')).rows
  const others = [
    { order_id: 'b', total: 3 },
    { order_id: 'c', total: 4 },
    { order_id: 'd', total: 5 },
  ]
  expect(await rows()).toEqual([{ order_id: 'a', total: 1 }, ...others])
  expect(await views.deadLetters(Totals).list()).toMatchObject([
    { key: 'a', attempts: 2, failure: { code: '23514' }, event: { position: bad, version: 2 } },
    { key: 'a', attempts: 0, failure: undefined, event: { position: behind, version: 3 } },
  ])
  expect(views.status()).toMatchObject([{ state: 'running', parked: 2 }])

  await database.pool.query('ALTER TABLE totals DROP CONSTRAINT totals_total_check')
  await views.deadLetters(Totals).ask('redrive', 'all')
  expect(await rows()).toEqual([{ order_id: 'a', total: 2 }, ...others])
  await wait(bad)
})

test('a write that only Postgres understands stops the projection and leaves nothing half done', async () => {
  const { append, wait, app } = await run([Totals])
  await wait(await append('a', placed(1)))
  // Refused at the commit alone, whatever the rows are.
  await database.pool.query(
    `CREATE FUNCTION refuse() RETURNS trigger AS $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '23000'; END $$ LANGUAGE plpgsql`,
  )
  await database.pool.query('CREATE TRIGGER refuse BEFORE UPDATE ON narrative_checkpoints EXECUTE FUNCTION refuse()')
  const before = await database.pool.query('SELECT * FROM narrative_checkpoints ORDER BY partition')
  await expect(wait(await append('a', placed(50)))).rejects.toMatchObject({
    code: 'PROJECTION_STOPPED',
    cause: { code: '23000' },
  })
  expect(app.health().ready).toBe(false)
  expect((await database.pool.query('SELECT * FROM narrative_checkpoints ORDER BY partition')).rows).toEqual(
    before.rows,
  )
})

test('dead letters are redriven and skipped from outside, too: the next look sees it', async () => {
  let repaired = false
  const shaky = defineProjection({
    ...parked,
    onFailure: { retries: 0 },
    on: {
      'order.placed': (_row, event: OrderPlaced, { aggregateId }) => {
        if (event.total === 13 && !repaired) throw new Error('Thirteen.')
        return { orderId: aggregateId, total: event.total }
      },
    },
  })
  const { append, wait, views } = await run([shaky])
  const bad = await append('a', placed(13))
  await append('a', placed(14))
  await append('b', placed(13))
  await wait(await append('c', placed(1)))
  await vi.waitFor(() => expect(views.status()).toMatchObject([{ parked: 3 }]), 20_000)
  // As another process would: only the store is shared with it.
  const beside = projections([shaky], { store: postgresReadModels({ pool: database.pool }), follow: false })
  beside.prepare(partContext())
  const letters = beside.deadLetters(shaky)
  expect(await letters.list({ key: 'a' })).toMatchObject([
    { key: 'a', attempts: 1, failure: { message: 'Thirteen', handler: 'totals-view on order.placed' } },
    { key: 'a', attempts: 0 },
  ])
  expect(await letters.ask('skip', { position: bad })).toBe(1)
  await vi.waitFor(async () => expect(await letters.count()).toBe(2), 20_000)
  repaired = true
  expect(await letters.ask('redrive', 'all')).toBe(2)
  await vi.waitFor(async () => expect(await letters.count()).toBe(0), 20_000)
  expect((await database.pool.query('SELECT order_id, total::int FROM totals ORDER BY 1')).rows).toEqual([
    { order_id: 'a', total: 14 },
    { order_id: 'b', total: 13 },
    { order_id: 'c', total: 1 },
  ])
})

/** The order as the next release knows it. */
@Event('order.placed', { version: 2 })
class PlacedInV2 {
  constructor(readonly amount: number) {}
}
@Aggregate('order')
class OrderInV2 {
  @CommandHandler(RecordEvents) record(command: RecordEvents) {
    return command.events
  }
  @Evolve(PlacedInV2) placed() {}
}

test('what cannot be decoded is parked by its position, without another try; the next release redrives it', async () => {
  const eventStore = inMemoryEventStore()
  const common = { eventStore, validator: noValidation, logger: silentLogger }
  const customers = { ...parked, key: (event: { total: number }) => `sum ${event.total}` }
  const old = defineProjection({
    ...customers,
    on: { 'order.placed': (_row, { total }: OrderPlaced) => ({ orderId: `sum ${total}`, total }) },
  })
  const views = projections([old], { store: postgresReadModels({ url: database.url }) })
  const app = await createApplication({ ...common, aggregates: [Order], parts: [views] })
  const append = async (...events: NewEvent[]) => {
    const metadata = { commandId: randomUUID(), correlationId: 'c', causationId: 'c' }
    const result = await app.eventStore.append('order-a', events, { expectedVersion: 'any', metadata })
    return (result as { position: Position }).position
  }
  const ahead = { ...codec.encode(placed(0)), schemaVersion: 2, data: Buffer.from('{"amount":7}') }
  const position = await append(ahead)
  const behind = await append(codec.encode(placed(8)))
  await expect(views.waitFor!(position, { timeout: 20_000 })).rejects.toMatchObject({ code: 'EVENT_PARKED' })
  await expect(views.waitFor!(behind, { timeout: 20_000 })).rejects.toMatchObject({ code: 'EVENT_PARKED' })
  // Its row cannot be told, so its stream waits.
  expect(await views.deadLetters(old).list()).toMatchObject([
    { ...{ key: 'order-a', attempts: 1, failure: { code: 'EVENT_UNDECODABLE' } }, event: { version: 1, position } },
    { key: 'sum 8', attempts: 0, event: { version: 2, position: behind } },
  ])
  await app.stop()

  const next = defineProjection({
    ...{ ...parked, from: [OrderInV2], key: (event: PlacedInV2) => `sum ${event.amount}` },
    on: { 'order.placed': (_row, { amount }: PlacedInV2) => ({ orderId: `sum ${amount}`, total: amount }) },
  })
  const newer = projections([next], { store: postgresReadModels({ url: database.url }) })
  database.stopLater((await createApplication({ ...common, aggregates: [OrderInV2], parts: [newer] })).stop)
  await newer.ready()
  expect(newer.status()).toMatchObject([{ state: 'running', parked: 2 }])
  await newer.deadLetters(next).ask('redrive', { key: 'sum 8' })
  expect(await newer.deadLetters(next).count()).toBe(2)
  await newer.deadLetters(next).ask('redrive', 'all')
  // The second one is of an old schema version, and has no upcaster.
  expect(await newer.deadLetters(next).list()).toMatchObject([
    {
      key: 'order-a',
      attempts: 1,
      event: { version: 2 },
      failure: { message: expect.stringContaining('no upcaster') },
    },
  ])
  expect((await database.pool.query('SELECT order_id FROM totals')).rows).toEqual([{ order_id: 'sum 7' }])
})

test('Postgres goes away and comes back: nothing is lost and nobody restarts anything', async () => {
  const { app, append, wait } = await run([TotalsView])
  await wait(await append('a', placed(1)))
  const admin = new pg.Client({ connectionString: database.server })
  await admin.connect()
  const name = new URL(database.url).pathname.slice(1)
  const away = async (allow: boolean) => {
    await admin.query(`ALTER DATABASE "${name}" ALLOW_CONNECTIONS ${allow}`)
    if (!allow) await admin.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [name])
  }
  await away(false)
  const position = await append('a', placed(2))
  await vi.waitFor(
    () =>
      expect(app.health().reasons).toEqual([
        expect.stringContaining('totals-view is paused: Postgres does not answer'),
      ]),
    20_000,
  )
  await away(true)
  await wait(position)
  expect(app.health().ready).toBe(true)
  expect((await database.pool.query('SELECT total::int FROM totals')).rows).toEqual([{ total: 2 }])
  await admin.end()
})

test('two workers that know nothing of each other take turns, and nothing is applied twice', async () => {
  const eventStore = inMemoryEventStore()
  const open = async () => {
    const views = projections([Counting], { store: postgresReadModels({ url: database.url }) })
    const common = { aggregates: [Order], eventStore, validator: noValidation, logger: silentLogger }
    const app = await createApplication({ ...common, parts: [views] })
    database.stopLater(() => app.stop())
    return { views, app }
  }
  const [first, second] = [await open(), await open()]
  const orders = ['a', 'b', 'c', 'd', 'e', 'f']
  for (let round = 0; round < 30; round++) {
    const appended = orders.map((orderId) =>
      second.app.commands.execute(new RecordEvents({ orderId, events: [placed(1), new OrderRepriced(1)] })),
    )
    await Promise.all(appended)
  }
  for (const orderId of orders) {
    const { position } = await second.app.commands.execute(new RecordEvents({ orderId, events: [placed(1)] }))
    await Promise.all([first, second].map(({ views }) => views.waitFor!(position!, { timeout: 20_000 })))
  }
  const { rows } = await database.pool.query('SELECT order_id, events, sum::int, last_version FROM counts ORDER BY 1')
  expect(rows).toEqual(orders.map((order_id) => ({ order_id, events: 61, sum: 61, last_version: 61 })))
})

test('waiting says how far the projection got', async () => {
  const { append, wait, views } = await run([TotalsView])
  const position = await append('a', placed(1))
  await wait(position)
  const ahead = { ...position, offset: position.offset + 5 }
  await expect(wait(ahead, TotalsView, 20)).rejects.toMatchObject({
    code: 'READ_MODEL_BEHIND',
    details: { projection: 'totals-view', reached: position.offset + 1, position: ahead },
  })
  await wait({ topic: 'elsewhere', partition: 0, offset: 9 }, TotalsView, 20)
  await expect(views.ready('nobody')).rejects.toMatchObject({ code: 'PROJECTION_UNKNOWN' })
})

const setup = 'CREATE TABLE IF NOT EXISTS ledger (customer text PRIMARY KEY, total bigint NOT NULL)'

@Projection('ledger', {
  from: [Order],
  sql: { setup, reset: 'DELETE FROM ledger' },
  onFailure: { retries: 0, action: 'stop' },
})
class Ledger {
  @EventHandler(OrderPlaced) async placed({ customerId, total }: OrderPlaced, { client }: SqlProjectionContext) {
    await client.query(
      'INSERT INTO ledger VALUES ($1, $2) ON CONFLICT (customer) DO UPDATE SET total = ledger.total + EXCLUDED.total',
      [customerId, total],
    )
    if (total === 13) throw new Error('Thirteen.')
  }
  @EventHandler(OrderRepriced) async repriced(_event: OrderRepriced, { client }: SqlProjectionContext) {
    await client.query('SELECT 1/0').catch(() => {})
  }
}

test('free SQL: statements and checkpoint are one transaction, also in a rebuild', async () => {
  const { append, wait, views } = await run([Ledger])
  for (const total of [1, 2, 3]) await append('a', placed(total))
  await wait(await append('b', placed(4)))
  await wait(await append('a', placed(5)))
  const ledger = async () => (await database.pool.query('SELECT customer, total::int FROM ledger')).rows
  expect(await ledger()).toEqual([{ customer: 'ada', total: 15 }])

  await database.pool.query('UPDATE ledger SET total = 0')
  expect(await views.rebuild(Ledger)).toMatchObject({ secondsLeft: 0 })
  expect(await ledger()).toEqual([{ customer: 'ada', total: 15 }])
  await wait(await append('b', placed(1)))
  expect(await ledger()).toEqual([{ customer: 'ada', total: 16 }])

  await expect(wait(await append('a', placed(13)))).rejects.toMatchObject({
    code: 'PROJECTION_STOPPED',
    cause: new Error('Thirteen.'),
  })
  expect(await ledger()).toEqual([{ customer: 'ada', total: 16 }])
})

test('free SQL: an error that a handler swallows does not lose its event', async () => {
  const { append, wait } = await run([Ledger])
  await expect(wait(await append('a', placed(1), new OrderRepriced(2)))).rejects.toMatchObject({
    code: 'PROJECTION_STOPPED',
    message: expect.stringContaining('its error was caught'),
  })
  // What came before it in the same batch is stored.
  expect((await database.pool.query('SELECT customer, total::int FROM ledger')).rows).toEqual([
    { customer: 'ada', total: 1 },
  ])
})

@Projection('sum', { from: [Order] })
class Sum {
  total = 0
  live = 0
  @EventHandler(OrderPlaced) placed(event: OrderPlaced, { isReplay }: { isReplay: boolean }) {
    this.total += event.total
    if (!isReplay) this.live++
  }
  reset() {
    this.total = 0
  }
}

test('a memory projection is replayed in place, and knows what is replay', async () => {
  const { app, append, wait, views } = await run([Sum], memoryReadModels())
  await wait(await append('a', placed(1)))
  await wait(await append('b', placed(2)))
  const sum = app.container.get(Sum)
  expect(sum).toMatchObject({ total: 3, live: 2 })
  await views.rebuild(Sum)
  expect(sum).toMatchObject({ total: 3, live: 2 })
  await wait(await append('b', placed(3)))
  expect(sum).toMatchObject({ total: 6, live: 3 })
})
