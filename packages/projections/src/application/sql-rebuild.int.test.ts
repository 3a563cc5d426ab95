// Free-SQL projections are rebuilt beside themselves, in a schema of their own: in steps, resumed, cancelled, and switched in one transaction.
import {
  createApplication,
  type EventLog,
  inMemoryEventStore,
  type Logger,
  noValidation,
  type Position,
  silentLogger,
} from '@narrative/core'
import { beforeEach, expect, test, vi } from 'vitest'
import { defineProjection, postgresReadModels, projections, type SqlProjectionContext } from '../index.js'
import { partContext } from '../runtime/history.test-support.js'
import { databasePerTest } from './database.test-support.js'
import { Order, OrderPlaced, RecordEvents } from './orders.test-support.js'

const database = databasePerTest()

const setup = `
  CREATE TABLE IF NOT EXISTS customer (id text PRIMARY KEY);
  CREATE TABLE IF NOT EXISTS sale (n serial PRIMARY KEY, customer text REFERENCES customer, total bigint NOT NULL);
  CREATE INDEX IF NOT EXISTS sale_customer ON sale (customer);
  CREATE SEQUENCE IF NOT EXISTS ticket;
  CREATE OR REPLACE VIEW sales AS SELECT customer, sum(total)::int AS total, count(*)::int AS n FROM sale GROUP BY 1;`
const reset = 'TRUNCATE sale, customer'

const trouble = { brokenAt: -1, times: 1, into: 'sale' }
beforeEach(() => Object.assign(trouble, { brokenAt: -1, times: 1, into: 'sale' }))

const ledger = (sql = { setup, reset }) =>
  defineProjection({
    ...{ name: 'ledger', from: [Order], sql, onFailure: { retries: 0, action: 'stop' } },
    on: {
      'order.placed': async ({ customerId, total }: OrderPlaced, { client }: SqlProjectionContext) => {
        if (total === trouble.brokenAt) throw new Error('Broken.')
        await client.query('INSERT INTO customer VALUES ($1) ON CONFLICT DO NOTHING', [customerId])
        const values = [customerId, total * trouble.times]
        await client.query(`INSERT INTO ${trouble.into} (customer, total) VALUES ($1, $2)`, values)
      },
    },
  })

async function service(view = ledger(), logger: Logger = silentLogger, url = database.url) {
  const views = projections([view], { store: postgresReadModels({ url }) })
  const eventStore = inMemoryEventStore({ partitions: 2 })
  const common = { eventStore, validator: noValidation, logger }
  const app = await createApplication({ ...common, aggregates: [Order], parts: [views] })
  database.stopLater(() => app.stop())
  const last = new Map<number, Position>() // of each partition
  const place = async (from: number, to: number) => {
    for (let total = from; total <= to; total++) {
      const events = [new OrderPlaced('', 'ada', [], total)]
      const { position } = await app.commands.execute(new RecordEvents({ orderId: `o${total % 20}`, events }))
      last.set(position!.partition, position!)
    }
  }
  const applied = async () => {
    for (const position of last.values()) await views.waitFor!(position, { timeout: 20_000 })
  }
  return { app, views, place, applied }
}

/** Another process, with the handlers of the next release, say. */
async function beside(eventLog: EventLog, view = ledger()) {
  const views = projections([view], { store: postgresReadModels({ url: database.url }), follow: false })
  expect(views.prepare(partContext())).toEqual([])
  await views.start(eventLog)
  database.stopLater(() => views.stop())
  return views
}

const rows = async (text: string) => (await database.pool.query(text)).rows
const sales = async () => (await rows('SELECT total, n FROM sales'))[0]
const schemas = () => rows(`SELECT nspname FROM pg_namespace WHERE nspname LIKE 'narrative_build%'`)
const sumTo = (n: number) => (n * (n + 1)) / 2

test('readers keep the old tables until the new ones are level; what others may see of them, they may see again', async () => {
  const { app, views, place, applied } = await service()
  await place(1, 60)
  await applied()
  await database.pool.query('GRANT SELECT ON sales, sale TO pg_monitor')
  await database.pool.query('UPDATE sale SET total = 0')
  const tool = await beside(app.eventLog)
  const told: number[] = []
  const rebuilding = tool.rebuild('ledger', { eventsPerSecond: 40, onProgress: ({ events }) => told.push(events) })
  await vi.waitFor(async () => {
    const { rebuild } = await tool.overview('ledger')
    expect(rebuild?.events).toBeGreaterThan(0)
    expect(rebuild!.events).toBeLessThan(rebuild!.total)
  }, 20_000)
  // In steps: what is built is committed, and the old view goes on.
  expect(await schemas()).toHaveLength(1)
  await place(61, 70)
  await applied()
  expect(await sales()).toEqual({ total: sumTo(70) - sumTo(60), n: 70 })
  await rebuilding
  expect(told.at(-1)).toBeGreaterThanOrEqual(70)
  expect(await sales()).toEqual({ total: sumTo(70), n: 70 })
  await place(71, 80)
  await applied()
  expect(await sales()).toEqual({ total: sumTo(80), n: 80 })
  expect(await schemas()).toEqual([])
  const grants = await rows(
    `SELECT table_name FROM information_schema.role_table_grants WHERE grantee = 'pg_monitor' ORDER BY 1`,
  )
  expect(grants).toEqual([{ table_name: 'sale' }, { table_name: 'sales' }])
  const homes = await rows(
    `SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relname ~ '^(sale|customer|ticket)' ORDER BY 1`,
  )
  const all = ['customer', 'customer_pkey', 'sale', 'sale_customer', 'sale_n_seq', 'sale_pkey', 'sales', 'ticket']
  expect(homes.map(({ relname }) => relname)).toEqual(all)
  expect(await views.overview('ledger')).toMatchObject({ generation: 2, lag: { events: 0 }, parked: 0 })
  await views.rebuild('ledger')
  expect(await sales()).toEqual({ total: sumTo(80), n: 80 })
})

test('the old tables are kept, go on from where they stood when they are switched back to, and keep the new ones in their turn', async () => {
  const { views, place, applied } = await service()
  await place(1, 40)
  await applied()
  await database.pool.query('GRANT SELECT ON sales TO pg_monitor')
  await expect(views.switchBack('ledger')).rejects.toMatchObject({ code: 'NOTHING_KEPT' })
  trouble.times = 100
  await views.rebuild('ledger', { keepOld: true })
  expect(await views.overview('ledger')).toMatchObject({ generation: 2, kept: 1 })
  await place(41, 50)
  await applied()
  expect(await sales()).toEqual({ total: 100 * sumTo(50), n: 50 })

  trouble.times = 1
  await views.switchBack('ledger')
  await expect.poll(sales, { timeout: 20_000 }).toEqual({ total: sumTo(50), n: 50 })
  expect(await views.overview('ledger')).toMatchObject({ generation: 1, kept: 2 })
  await place(51, 60)
  await applied()
  expect(await sales()).toEqual({ total: sumTo(60), n: 60 })

  await views.switchBack('ledger')
  await expect.poll(async () => (await sales()).n, { timeout: 20_000 }).toBe(60)
  expect((await sales()).total).toBe(100 * sumTo(50) + sumTo(60) - sumTo(50))
  const mayRead = await rows(`SELECT has_table_privilege('pg_monitor', 'sales', 'SELECT') AS yes`)
  expect(mayRead).toEqual([{ yes: true }])
  await database.pool.query('CREATE VIEW report AS SELECT count(*) FROM sale')
  await expect(views.switchBack('ledger')).rejects.toThrow('report depends on them')
  await database.pool.query('DROP VIEW report')
  await views.rebuild('ledger')
  expect(await sales()).toEqual({ total: sumTo(60), n: 60 })
  expect(await views.overview('ledger')).toMatchObject({ generation: 3, kept: undefined })
  expect(await schemas()).toEqual([])
})

test('left half way it is gone on with, if the setup is the same; given up or cancelled, nothing is left', async () => {
  const { app, place, applied } = await service()
  await place(1, 60)
  await applied()
  const tool = await beside(app.eventLog)
  Object.assign(trouble, { brokenAt: 55, times: 10 })
  await expect(tool.rebuild('ledger')).rejects.toMatchObject({ code: 'PROJECTION_STOPPED' })
  expect(await schemas()).toHaveLength(1)
  expect(await sales()).toEqual({ total: sumTo(60), n: 60 })
  // The next handlers multiply by 1,000: what is gone on with keeps what the first ones made.
  Object.assign(trouble, { brokenAt: -1, times: 1000 })
  await tool.rebuild('ledger', { resume: true })
  const { total, n } = await sales()
  expect(n).toBe(60)
  expect(total).toBeLessThan(1000 * sumTo(60))
  expect(total % 1000).not.toBe(0)

  const stop = new AbortController()
  const givenUp = tool.rebuild('ledger', { eventsPerSecond: 20, signal: stop.signal })
  await vi.waitFor(async () => expect((await tool.overview('ledger')).rebuild?.events).toBeGreaterThan(0), 20_000)
  stop.abort(new Error('Enough.'))
  await expect(givenUp).rejects.toThrow('Enough.')
  expect(await schemas()).toEqual([])

  Object.assign(trouble, { brokenAt: 55, times: 10 })
  await expect(tool.rebuild('ledger')).rejects.toMatchObject({ code: 'PROJECTION_STOPPED' })
  Object.assign(trouble, { brokenAt: -1, times: 1 })
  const other = await beside(app.eventLog, ledger({ setup: `${setup} -- another one`, reset }))
  await other.rebuild('ledger', { resume: true })
  expect(await sales()).toEqual({ total: sumTo(60), n: 60 })

  trouble.brokenAt = 55
  await expect(tool.rebuild('ledger')).rejects.toMatchObject({ code: 'PROJECTION_STOPPED' })
  expect(await tool.cancelRebuild('ledger')).toBe(true)
  expect(await schemas()).toEqual([])
  expect(await rows('SELECT * FROM narrative_builds')).toEqual([])
})

test('a handler that names the schema would write what is read: it is stopped, and nothing of it is kept', async () => {
  const { place, applied, views } = await service()
  await place(1, 10)
  await applied()
  trouble.into = 'public.sale'
  await expect(views.rebuild('ledger')).rejects.toMatchObject({
    code: 'PROJECTION_STOPPED',
    message: expect.stringMatching(/wrote to table (public\.)?sale, which is not among those that are being built/),
  })
  expect(await sales()).toEqual({ total: sumTo(10), n: 10 })
})

test('what others have made of the tables is named before anything is done', async () => {
  const { place, applied, views } = await service()
  await place(1, 10)
  await applied()
  await database.pool.query('CREATE VIEW report AS SELECT count(*) FROM sale')
  await expect(views.rebuild('ledger')).rejects.toMatchObject({
    code: 'STARTUP_FAULTS',
    message: expect.stringContaining('report depends on them'),
  })
  expect(await schemas()).toEqual([])
  await database.pool.query('DROP VIEW report')
  await views.rebuild('ledger')
})

test('two services that have a schema each in one database may call a projection the same', async () => {
  const services = []
  for (const schema of ['shop', 'depot']) {
    await database.pool.query(`CREATE SCHEMA ${schema}`)
    const url = `${database.url}?options=-c%20search_path%3D${schema}`
    services.push(await service(ledger(), silentLogger, url))
  }
  const [shop, depot] = services
  await shop!.place(1, 30)
  await depot!.place(1, 10)
  for (const { applied } of services) await applied()
  const totals = () => rows('SELECT a.total AS shop, b.total AS depot FROM shop.sales a, depot.sales b')
  // Left behind half way by the one, and nothing for the other to go on with; nor is it for the one, because the other is at work.
  Object.assign(trouble, { brokenAt: 30, times: 10 })
  await expect(shop!.views.rebuild('ledger')).rejects.toMatchObject({ code: 'PROJECTION_STOPPED' })
  Object.assign(trouble, { brokenAt: -1, times: 1 })
  const slow = depot!.views.rebuild('ledger', { eventsPerSecond: 5 })
  const begun = async () => (await depot!.views.overview('ledger')).rebuild?.events
  await expect.poll(begun, { timeout: 20_000 }).toBeGreaterThan(0)
  await shop!.views.rebuild('ledger')
  await slow
  expect(await totals()).toEqual([{ shop: sumTo(30), depot: sumTo(10) }])
  for (const keepOld of [true, false]) {
    await Promise.all(services.map(({ views }) => views.rebuild('ledger', { keepOld })))
    expect(await totals()).toEqual([{ shop: sumTo(30), depot: sumTo(10) }])
    expect(await schemas()).toHaveLength(keepOld ? 2 : 0)
  }
})

test('where the setup says the schema, it is rebuilt in one transaction, and says so', async () => {
  const told: string[] = []
  const logger: Logger = { ...silentLogger, warn: (_fields, text) => told.push(text) }
  const named = {
    setup:
      'CREATE TABLE IF NOT EXISTS public.customer (id text PRIMARY KEY); CREATE TABLE IF NOT EXISTS public.sale (customer text, total bigint)',
    reset: 'TRUNCATE public.sale, public.customer',
  }
  const { place, applied, views } = await service(ledger(named), logger)
  await place(1, 10)
  await applied()
  await database.pool.query('UPDATE sale SET total = 0')
  await expect(views.rebuild('ledger', { keepOld: true })).rejects.toThrow('rebuild it without keepOld')
  await views.rebuild('ledger')
  expect(await rows('SELECT sum(total)::int AS total FROM sale')).toEqual([{ total: sumTo(10) }])
  expect(told).toContainEqual(expect.stringContaining('ledger is rebuilt in one transaction'))
})
