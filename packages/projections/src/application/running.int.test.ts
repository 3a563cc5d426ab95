// What happens when something goes wrong: a handler, a row, Postgres, a second worker.
import { createApplication, noValidation, silentLogger } from '@narrative/core'
import { type PostgresService, startPostgres } from '@narrative/testing'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import {
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
import { Order, OrderPlaced, OrderRepriced, OrdersView, RecordEvents } from './orders.test-fixture.js'

let postgres: PostgresService
let url: string
let pool: pg.Pool
const stops: (() => Promise<void>)[] = []
beforeAll(async () => {
  postgres = await startPostgres({ logger: silentLogger })
})
beforeEach(async () => {
  url = await postgres.createDatabase()
  pool = new pg.Pool({ connectionString: url })
  pool.on('error', () => {})
})
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
  await pool.end()
})
afterAll(() => postgres.stop())

async function run(classes: ProjectionLike[], store: ReadModels = postgresReadModels({ url })) {
  const views = projections(classes, { store })
  const app = await createApplication({
    aggregates: [Order],
    parts: [views],
    validator: noValidation,
    logger: silentLogger,
  })
  stops.push(() => app.stop())
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

@Projection('totals-view', { from: [Order], table: totals })
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

test.each(['memory', 'postgres'])('a handler that fails stops its projection alone, on %s', async (kind) => {
  const store = kind === 'memory' ? memoryReadModels() : postgresReadModels({ url })
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
})

test('a row that Postgres refuses stops the projection and leaves nothing half done', async () => {
  const { append, wait } = await run([TotalsView])
  await wait(await append('a', placed(1)))
  await pool.query('ALTER TABLE totals ADD CHECK (total < 100)')
  const before = await pool.query('SELECT * FROM narrative_checkpoints ORDER BY partition')
  await expect(wait(await append('a', placed(500)))).rejects.toMatchObject({
    code: 'PROJECTION_STOPPED',
    cause: { code: '23514' },
  })
  expect((await pool.query('SELECT * FROM narrative_checkpoints ORDER BY partition')).rows).toEqual(before.rows)
})

test('Postgres goes away and comes back: nothing is lost and nobody restarts anything', async () => {
  const { app, append, wait } = await run([TotalsView])
  await wait(await append('a', placed(1)))
  const admin = new pg.Client({ connectionString: postgres.url })
  await admin.connect()
  const database = new URL(url).pathname.slice(1)
  const away = async (allow: boolean) => {
    await admin.query(`ALTER DATABASE "${database}" ALLOW_CONNECTIONS ${allow}`)
    if (!allow)
      await admin.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [database])
  }
  await away(false)
  const position = await append('a', placed(2))
  await vi.waitFor(
    () => expect(app.health().reasons).toEqual([expect.stringContaining('totals-view waits: Postgres')]),
    5000,
  )
  await away(true)
  await wait(position)
  expect(app.health().ready).toBe(true)
  expect((await pool.query('SELECT total::int FROM totals')).rows).toEqual([{ total: 2 }])
  await admin.end()
})

test('a second worker: one goes on, the other says what happened and stops', async () => {
  const first = await run([TotalsView])
  await first.wait(await first.append('a', placed(1)))
  // As if somebody else had been there.
  await pool.query(`UPDATE narrative_checkpoints SET "offset" = "offset" + 7`)
  await expect(first.wait(await first.append('a', placed(2)))).rejects.toMatchObject({ code: 'CHECKPOINT_MOVED' })
  expect((await pool.query('SELECT total::int FROM totals')).rows).toEqual([{ total: 1 }])
  expect(first.app.health().reasons).toEqual([expect.stringContaining('another worker moved its checkpoint')])
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

@Projection('ledger', { from: [Order], sql: { setup, reset: 'DELETE FROM ledger' } })
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
  const ledger = async () => (await pool.query('SELECT customer, total::int FROM ledger')).rows
  expect(await ledger()).toEqual([{ customer: 'ada', total: 15 }])

  await pool.query('UPDATE ledger SET total = 0')
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
  expect((await pool.query('SELECT * FROM ledger')).rows).toEqual([])
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
