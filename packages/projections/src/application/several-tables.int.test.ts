// Several tables of one projection: switched together, reset together, and refused with what is to be done.
import { createApplication, inMemoryEventStore, noValidation, silentLogger } from '@narrative/core'
import { expect, test, vi } from 'vitest'
import {
  defineProjection,
  memoryReadModels,
  type ProjectionLike,
  postgresReadModels,
  projections,
  type ReadModels,
  table,
  where,
} from '../index.js'
import {
  Cancelled,
  customers,
  Moved,
  Named,
  Placed,
  RecordInShop,
  Shop,
  ShopView,
  shopAfter,
  shopOrders,
} from '../runtime/shop.test-support.js'
import { databasePerTest } from './database.test-support.js'

const database = databasePerTest()
const stores = [
  { name: 'memory', begin: (): ReadModels => memoryReadModels() },
  { name: 'postgres', begin: (): ReadModels => postgresReadModels({ pool: database.pool }) },
]

async function start(store: ReadModels, view: ProjectionLike = ShopView, eventStore = inMemoryEventStore()) {
  const views = projections([view], { store })
  const app = await createApplication({
    ...{ aggregates: [Shop], parts: [views], eventStore, validator: noValidation, logger: silentLogger },
  })
  database.stopLater(() => app.stop())
  const history: object[] = []
  const append = async (...events: object[]) => {
    history.push(...events)
    const { position } = await app.commands.execute(new RecordInShop({ shop: '1', events }))
    return position!
  }
  const happen = async (...events: object[]) => views.waitFor!(await append(...events), { timeout: 20_000 })
  return { app, views, append, happen, history }
}

async function rowsIn(store: Pick<ReadModels, 'reader'>) {
  return {
    orders: await store.reader(shopOrders).findWhere({}, { limit: 1000 }),
    customers: await store.reader(customers).findWhere({}, { limit: 1000 }),
  }
}

const someHistory = [
  new Placed('o1', 'c1', 5),
  new Placed('o2', 'c1', 6),
  new Named('c1', 'Ada'),
  new Placed('o3', 'c2', 1),
  new Moved('o3', 'c1'),
  new Named('c1', 'Bob'),
]

test.each(stores)('rebuilt, kept, switched back, reset, and as they were, on $name', async ({ begin }) => {
  const store = begin()
  const { views, append, happen, history } = await start(store)
  const position = await append(...someHistory)
  await views.waitFor!(position, { timeout: 20_000 })
  const first = shopAfter(history)
  expect(await rowsIn(store)).toEqual(first)
  await views.rebuild(ShopView, { keepOld: true })
  expect(await rowsIn(store)).toEqual(first)
  expect(await views.overview(ShopView)).toMatchObject({ generation: 2, kept: 1 })

  await happen(new Cancelled('o1'), new Named('c2', 'Eve'))
  expect(await rowsIn(store)).toEqual(shopAfter(history))
  await views.switchBack(ShopView)
  // It goes on from where it stood.
  await vi.waitFor(async () => expect(await rowsIn(store)).toEqual(shopAfter(history)))
  expect(await views.overview(ShopView)).toMatchObject({ generation: 1, kept: 2 })
  await views.rebuild(ShopView)
  expect(await views.overview(ShopView)).toMatchObject({ generation: 3, kept: undefined })
  expect(await rowsIn(store)).toEqual(shopAfter(history))

  await views.reset(ShopView)
  await vi.waitFor(async () => expect(await rowsIn(store)).toEqual(shopAfter(history)))
  const then = await views.asOf(ShopView, { position })
  expect(await rowsIn(then)).toEqual(first)
  await expect(views.rebuildRow(ShopView, 'o1')).rejects.toThrow(
    'has several tables, whose rows are made of one another',
  )
})

test('a query that joins the tables never sees one of them switched and the other not', async () => {
  // Which generation wrote a row is in the row; both tables always have the same.
  const left = table('left_side', { key: 'id', columns: { id: 'text', built: 'integer' } })
  const right = table('right_side', { key: 'id', columns: { id: 'text', built: 'integer' } })
  let built = 0
  const both = defineProjection({
    ...{ name: 'both', from: [Shop], tables: { left, right } },
    on: {
      'shop.placed': {
        rows: ({ order }: Placed) => ({ left: order, right: order }),
        fold: (_rows, { order }: Placed) => ({ left: { id: order, built }, right: { id: order, built } }),
      },
    },
  })
  const { views, happen } = await start(postgresReadModels({ pool: database.pool }), both)
  await happen(new Placed('o1', 'c1', 1))
  let reading = true
  const seen: string[] = []
  const readers = ['left_side l JOIN right_side r', 'right_side r JOIN left_side l'].map(async (joined) => {
    while (reading) {
      const { rows } = await database.pool.query(`SELECT l.built AS l, r.built AS r FROM ${joined} ON l.id = r.id`)
      seen.push(rows.map(({ l, r }) => `${l}/${r}`).join())
    }
  })
  try {
    for (built = 1; built <= 8; built++) {
      await views.rebuild(both, { keepOld: built % 2 === 0 })
      if (built % 4 === 0) await views.switchBack(both)
    }
  } finally {
    reading = false
    await Promise.all(readers)
  }
  expect(new Set(seen)).toEqual(new Set([...new Set(seen)].filter((each) => /^(\d)\/\1$/.test(each))))
  expect(new Set(seen).size).toBeGreaterThan(2)
})

test('a row that Postgres refuses takes all rows of its event with it, and no others', async () => {
  const store = postgresReadModels({ pool: database.pool })
  const { views, append, happen, history } = await start(store)
  await database.pool.query('ALTER TABLE shop_orders ADD CONSTRAINT cheap CHECK (total < 5)')
  await append(new Placed('o1', 'c1', 1), new Placed('o2', 'c1', 5), new Placed('o3', 'c2', 2), new Named('c2', 'Eve'))
  const position = await append(new Placed('o4', 'c1', 1))
  await expect(views.waitFor!(position, { timeout: 20_000 })).rejects.toMatchObject({ code: 'EVENT_PARKED' })
  const kept = [history[0]!, history[2]!]
  expect(await rowsIn(store)).toEqual(shopAfter(kept))
  const letters = views.deadLetters(ShopView)
  expect((await letters.list()).map(({ key, failure }) => `${key} ${failure?.code ?? 'waits'}`).sort()).toEqual([
    'customers/c1 23514',
    'customers/c1 waits',
    'customers/c2 waits', // its condition is on the table of the refused order
    'shop_orders where {"customer":"c2"} waits',
    'shop_orders/o2 23514',
    'shop_orders/o4 waits',
  ])
  await database.pool.query('ALTER TABLE shop_orders DROP CONSTRAINT cheap')
  await letters.ask('redrive', 'all')
  await happen(new Named('c1', 'Ada'))
  expect(await rowsIn(store)).toEqual(shopAfter(history))
})

test.each(stores)('what a handler may not return is said, with what to do, on $name', async ({ begin }) => {
  const cases: [returned: unknown, message: string][] = [
    [
      { orders: { orderId: 'o2', customer: 'c', name: '', open: true, total: 1 } },
      'it returned the row shop_orders/o2, which it had not asked for: name its key in the rows of @EventHandler(…, rows)',
    ],
    [{ stock: {} }, 'it returned rows of stock, which is not among the tables of its projection: orders, customers'],
    [{ orders: null }, 'it returned null for a row of table shop_orders: to delete a row, return deleted(row)'],
    [
      { orders: { orderId: 'o1' } },
      'column customer of table shop_orders must be a string without U+0000 and lone surrogates, but is missing',
    ],
    [
      { customers: { customer: 'c1', name: '', orders: 1, spent: 1, open: true } },
      'it returned a row with open, which table customers does not have',
    ],
    [[], 'it returned a list instead of the rows it changes, by table'],
    [Promise.resolve({}), 'it returned a promise instead of the rows it changes, by table'],
  ]
  let returned: unknown
  const view = defineProjection({
    ...{ name: 'wrong', from: [Shop], tables: { orders: shopOrders, customers }, onFailure: { retries: 0 } },
    on: {
      'shop.placed': {
        rows: ({ order, customer }: Placed) => ({ orders: order, customers: customer }),
        fold: () => returned as undefined,
      },
      'shop.named': { rows: ({ customer }: Named) => ({ orders: where({ name: customer }) }), fold: () => undefined },
      'shop.moved': { rows: () => ({ stock: 'o1' }) as object, fold: () => undefined },
    },
  })
  const { views, append } = await start(begin(), view)
  const letters = views.deadLetters(view)
  const refusal = async (event: object) => {
    const position = await append(event)
    await expect(views.waitFor!(position, { timeout: 20_000 })).rejects.toMatchObject({ code: 'EVENT_PARKED' })
    const [letter] = await letters.list({ position })
    await letters.ask('skip', { position })
    // An event is one thing, whichever of its rows was named.
    expect(await letters.count()).toBe(0)
    return letter!
  }
  for (const [value, message] of cases) {
    returned = value
    const { failure, key } = await refusal(new Placed('o1', 'c1', 1))
    expect(failure).toMatchObject({ message, handler: 'wrong on shop.placed' })
    expect(['shop_orders/o1', 'customers/c1']).toContain(key)
  }
  expect((await refusal(new Named('c1', ''))).failure!.message).toBe(
    "it asks for rows of table shop_orders by name, for which it has no index: declare indexes: ['name']",
  )
  expect((await refusal(new Moved('o1', 'c1'))).failure!.message).toBe(
    'it asks for rows of stock, which is not among the tables of its projection: orders, customers',
  )
})

test('a table that is declared later is refused until a rebuild, which makes it beside the old ones', async () => {
  const eventStore = inMemoryEventStore()
  const one = defineProjection({
    ...{ name: 'shop', from: [Shop], tables: { orders: shopOrders } },
    on: {
      'shop.placed': {
        rows: ({ order }: Placed) => ({ orders: order }),
        fold: (_rows, { order, customer }: Placed) => {
          return { orders: { orderId: order, customer, name: '', open: true, total: 0 } }
        },
      },
    },
  })
  const store = postgresReadModels({ pool: database.pool })
  const { happen, app } = await start(store, one, eventStore)
  await happen(...someHistory)
  await app.stop()
  const started = start(store, ShopView, eventStore)
  await expect(started).rejects.toThrow(
    'Table customers of projection shop is not there; so far the projection wrote table shop_orders. Rebuild it',
  )
  const views = projections([ShopView], { store, follow: false })
  const tool = await createApplication({ aggregates: [Shop], parts: [views], eventStore, logger: silentLogger })
  await views.rebuild(ShopView)
  await tool.stop()
  expect(await rowsIn(store)).toEqual(shopAfter(someHistory))
  await start(store, ShopView, eventStore)
})

test.each(stores)('who waits behind a parked event, and what a skip sets free, on $name', async ({ begin }) => {
  const refused = new Set(['o1'])
  const view = defineProjection({
    ...{ name: 'waiting', from: [Shop], tables: { orders: shopOrders, customers }, onFailure: { retries: 0 } },
    on: {
      'shop.placed': {
        rows: ({ order, customer }: Placed) => ({ orders: order, customers: customer }),
        fold: ({ customers: row }, { order, customer, total }: Placed) => {
          if (refused.has(order)) throw new Error(`Not ${order}.`)
          const orders = { orderId: order, customer, name: row?.name ?? '', open: true, total }
          return { orders, customers: { customer, name: row?.name ?? '', orders: (row?.orders ?? 0) + 1, spent: 0 } }
        },
      },
      'shop.named': {
        rows: ({ customer }: Named) => ({ orders: where({ customer }) }),
        fold: ({ orders }, { name }: Named) => ({ orders: orders.map((order: object) => ({ ...order, name })) }),
      },
    },
  })
  const store = begin()
  const { views, append, happen } = await start(store, view)
  const letters = views.deadLetters(view)
  const parked = async () =>
    (await letters.list()).map(
      ({ key, event, failure }) => `${event.version} ${key}${failure ? ` ${failure.message}` : ''}`,
    )
  await append(new Placed('o1', 'c1', 1))
  await happen(new Placed('o2', 'c2', 1))
  await append(new Named('c2', 'Ada')) // waits: o1 could be an order of c2 by now
  await append(new Placed('o3', 'c2', 1)) // waits: it would meet the condition of that
  await happen(new Placed('o4', 'c3', 1))
  expect((await parked()).sort()).toEqual([
    '1 customers/c1 Not o1',
    '1 shop_orders/o1 Not o1',
    '3 shop_orders where {"customer":"c2"}',
    '4 customers/c2',
    '4 shop_orders/o3',
  ])
  expect((await rowsIn(store)).orders.map(({ orderId, name }) => `${orderId} ${name}`)).toEqual(['o2 ', 'o4 '])
  await letters.ask('skip', { key: 'customers/c1' })
  await letters.ask('redrive', 'all')
  expect(await parked()).toEqual([])
  expect((await rowsIn(store)).orders.map(({ orderId, name }) => `${orderId} ${name}`)).toEqual([
    'o2 Ada',
    'o3 ',
    'o4 ',
  ])
})
