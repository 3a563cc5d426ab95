// Rebuilding: beside the old view, at any moment, without readers noticing.
import { createApplication, inMemoryEventStore, noValidation, silentLogger } from '@narrative/core'
import { expect, test } from 'vitest'
import {
  column,
  EventHandler,
  memoryReadModels,
  Projection,
  postgresReadModels,
  projections,
  type ReadModels,
  type RebuildProgress,
  table,
} from '../index.js'
import { databasePerTest } from './database.test-support.js'
import { Order, OrderPlaced, OrderRepriced, OrdersView, orders, RecordEvents } from './orders.test-support.js'

const database = databasePerTest()

const stores: [string, () => ReadModels][] = [
  ['memory', () => memoryReadModels()],
  ['postgres', () => postgresReadModels({ url: database.url })],
]

async function start(store: ReadModels) {
  const views = projections([OrdersView], { store })
  const app = await createApplication({
    aggregates: [Order],
    parts: [views],
    validator: noValidation,
    logger: silentLogger,
  })
  const append = async (orderId: string, ...events: object[]) =>
    (await app.commands.execute(new RecordEvents({ orderId, events }))).position!
  return { views, app, append, reader: store.reader(orders) }
}

test.each(stores)(
  'readers never see a view that is half built or older, while events keep coming, on %s',
  async (_kind, open) => {
    const { views, app, append, reader } = await start(open())
    const count = 40
    for (let i = 0; i < count; i++) {
      await views.waitFor!(await append(`o${i}`, new OrderPlaced('', 'ada', [], 0)), { timeout: 20_000 })
    }

    let writing = true
    const latest = new Map<string, number>()
    const writer = (async () => {
      for (let n = 1; writing; n++) {
        const orderId = `o${n % count}`
        const position = await append(orderId, new OrderRepriced(n))
        await views.waitFor!(position, { timeout: 20_000 })
        latest.set(orderId, n)
        // Read your own write, in the middle of a rebuild.
        expect((await reader.findByKey(orderId))?.total).toBe(n)
      }
    })()
    const counts = new Set<number>()
    const looker = (async () => {
      while (writing) counts.add(await reader.count())
    })()
    const reports: RebuildProgress[] = []
    for (let i = 0; i < 3; i++) await views.rebuild(OrdersView, { onProgress: (progress) => reports.push(progress) })
    writing = false
    await Promise.all([writer, looker])

    expect([...counts]).toEqual([count])
    for (const [orderId, total] of latest) expect((await reader.findByKey(orderId))?.total).toBe(total)
    expect(reports.at(-1)).toMatchObject({ projection: 'orders-view', secondsLeft: 0, partitions: expect.any(Array) })
    expect(app.health()).toEqual({ ready: true, reasons: [] })
    await app.stop()
  },
)

test.each(stores)(
  'what is appended in the last moment before the switch is there after it, on %s',
  async (_kind, open) => {
    const store = open()
    let beforeSwitch = async () => {}
    const { views, app, append, reader } = await start({
      ...store,
      async buildTable(projection, options) {
        const build = await store.buildTable(projection, options)
        return {
          ...build,
          async publish(catchUp) {
            await beforeSwitch()
            await build.publish(catchUp)
          },
        }
      },
    })
    await append('a', new OrderPlaced('', 'ada', [], 1))
    beforeSwitch = async () => {
      await views.waitFor!(await append('a', new OrderRepriced(2)), { timeout: 20_000 })
    }
    await views.rebuild(OrdersView)
    expect((await reader.findByKey('a'))?.total).toBe(2)
    await app.stop()
  },
)

test('what others may do with a table they may do with the new one, and with the old one put back', async () => {
  const { views, app, append } = await start(postgresReadModels({ url: database.url }))
  await append('o', new OrderPlaced('', 'ada', [], 1))
  await views.ready()
  const granted = async () => {
    const { rows } = await database.pool.query(
      `SELECT privilege_type AS may FROM information_schema.role_table_grants
       WHERE grantee = 'pg_monitor' AND table_name = 'orders' ORDER BY 1`,
    )
    return rows.map(({ may }) => may)
  }
  await database.pool.query('GRANT SELECT ON orders TO pg_monitor')
  await views.rebuild(OrdersView, { keepOld: true })
  expect(await granted()).toEqual(['SELECT'])
  await database.pool.query('GRANT UPDATE ON orders TO pg_monitor')
  await views.switchBack(OrdersView)
  expect(await granted()).toEqual(['SELECT', 'UPDATE'])
  await app.stop()
})

test('a view of somebody else on a table is named before anything is read', async () => {
  const { views, app, append } = await start(postgresReadModels({ url: database.url }))
  await append('o', new OrderPlaced('', 'ada', [], 1))
  await views.ready()
  await database.pool.query('CREATE VIEW dear_orders AS SELECT * FROM orders WHERE total > 100')
  await expect(views.rebuild(OrdersView)).rejects.toMatchObject({
    code: 'STARTUP_FAULTS',
    message: expect.stringContaining('dear_orders depends on them'),
  })
  await database.pool.query('DROP VIEW dear_orders')
  await views.rebuild(OrdersView)
  await app.stop()
})

test('a rebuild that is given up leaves the old view, and the next one starts anew', async () => {
  const { views, app, append, reader } = await start(postgresReadModels({ url: database.url }))
  for (let i = 0; i < 20; i++) await append(`o${i}`, new OrderPlaced('', 'ada', [], i))
  await views.ready()
  const giveUp = new AbortController()
  const given = views.rebuild(OrdersView, {
    signal: giveUp.signal,
    onProgress: () => giveUp.abort(new Error('Enough.')),
  })
  await expect(given).rejects.toThrow('Enough.')
  expect((await database.pool.query(`SELECT to_regclass('orders__g2') AS name`)).rows).toEqual([{ name: null }])
  expect(await reader.count()).toBe(20)

  // Two at the same time work together, or the later one begins when the first is done: that they share the work is tested
  // with processes, in shared-rebuild.int.test.ts.
  await Promise.all([views.rebuild(OrdersView), views.rebuild(OrdersView)])
  expect(await reader.count()).toBe(20)
  const { rows } = await database.pool.query('SELECT generation FROM narrative_projections')
  expect(rows).toHaveLength(1)
  expect([2, 3]).toContain(rows[0].generation)
  await app.stop()
})

const reshaped = table('orders', { key: 'orderId', columns: { orderId: 'text', doubled: column<number>('bigint') } })

@Projection('orders-view', { from: [Order], table: reshaped })
class Reshaped {
  @EventHandler(OrderPlaced) placed(
    _row: object | undefined,
    event: OrderPlaced,
    { aggregateId }: { aggregateId: string },
  ) {
    return { orderId: aggregateId, doubled: 2 * event.total }
  }
}

test('a table that differs from its declaration is refused; a rebuild is the remedy', async () => {
  const eventStore = inMemoryEventStore()
  const common = { aggregates: [Order], eventStore, validator: noValidation, logger: silentLogger }
  const store = () => postgresReadModels({ url: database.url })
  const before = await createApplication({ ...common, parts: [projections([OrdersView], { store: store() })] })
  await before.commands.execute(new RecordEvents({ orderId: 'a', events: [new OrderPlaced('', 'ada', [], 21)] }))
  await before.stop()

  const start = createApplication({ ...common, parts: [projections([Reshaped], { store: store() })] })
  await expect(start).rejects.toMatchObject({
    code: 'STARTUP_FAULTS',
    message: expect.stringMatching(
      /Table orders of projection orders-view differs from its declaration: column doubled \(bigint\) is missing; column customer_id is not declared.*Rebuild it/s,
    ),
  })

  const tool = projections([Reshaped], { store: store(), follow: false })
  const beside = await createApplication({ ...common, parts: [tool] })
  await tool.rebuild('orders-view')
  await beside.stop()

  const views = projections([Reshaped], { store: store() })
  const after = await createApplication({ ...common, parts: [views] })
  await views.ready()
  expect((await database.pool.query('SELECT * FROM orders')).rows).toEqual([{ order_id: 'a', doubled: '42' }])
  await after.stop()
})
