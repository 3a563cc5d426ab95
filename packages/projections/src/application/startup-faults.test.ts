// Everything wrong with the projections of an application is said at once, before anything starts.
import {
  Aggregate,
  EventHandler as AggregateEventHandler,
  CommandHandler,
  createApplication,
  Event,
  noValidation,
  silentLogger,
} from '@narrative/core'
import { expect, test } from 'vitest'
import {
  defineProjection,
  EventHandler,
  memoryReadModels,
  Projection,
  type ProjectionLike,
  projections,
  table,
} from '../index.js'
import { Order, OrderPlaced, OrdersView, orders, RecordEvents } from './orders.test-support.js'

async function faultsOf(classes: ProjectionLike[], aggregates: object[] = [Order]): Promise<readonly string[]> {
  const part = projections(classes, { store: memoryReadModels() })
  try {
    await (await createApplication({ aggregates, parts: [part], logger: silentLogger })).stop()
    return []
  } catch (error) {
    return (error as { details: { faults: string[] } }).details.faults
  }
}

test('the EventHandler of aggregates in a projection, and the other way round: both imports are named', async () => {
  @Projection('wrong-import', { from: [Order] })
  class WrongImport {
    @AggregateEventHandler(OrderPlaced) placed(_event: OrderPlaced): void {}
  }
  expect(await faultsOf([WrongImport])).toContain(
    "WrongImport.placed is marked with the EventHandler of aggregates (import { EventHandler } from '@narrative/core'); in a projection use import { EventHandler } from '@narrative/projections'.",
  )

  @Aggregate('basket')
  class Basket {
    @CommandHandler(RecordEvents) record(command: RecordEvents) {
      return command.events
    }
    @EventHandler(OrderPlaced) placed(_event: OrderPlaced): void {}
  }
  @Projection('baskets', { from: [Basket] })
  class Baskets {
    @EventHandler(OrderPlaced) placed(_event: OrderPlaced): void {}
  }
  expect(await faultsOf([Baskets], [Basket])).toContain(
    "Basket.placed is marked with the EventHandler of projections (import { EventHandler } from '@narrative/projections'); in an aggregate use import { EventHandler } from '@narrative/core'.",
  )
})

test('what does not fit the application', async () => {
  @Event('basket.filled')
  class BasketFilled {
    constructor(readonly with_: string) {}
  }
  class Unmarked {}
  @Projection('misfit', { from: [Order, Unmarked] })
  class Misfit {
    @EventHandler(OrderPlaced) one(_event: OrderPlaced): void {}
    @EventHandler(OrderPlaced) two(_event: OrderPlaced): void {}
    @EventHandler(BasketFilled) filled(_event: BasketFilled): void {}
  }
  const copy = defineProjection({
    name: 'orders-view',
    from: [Order],
    table: orders,
    on: { 'order.placed': (row) => row },
  })
  const pairs = table('pairs', { key: ['a', 'b'], columns: { a: 'text', b: 'integer' } })
  const keyless = defineProjection({
    name: 'keyless',
    from: [Order],
    table: pairs,
    on: { 'order.placed': (row) => row },
  })
  const sql = defineProjection({
    name: 'sql',
    from: [Order],
    sql: { setup: '', reset: '' },
    on: { 'order.placed': () => {} },
  })
  const empty = defineProjection({ name: 'empty', from: [], on: {} })
  const faults = await faultsOf([Unmarked, Misfit, OrdersView, copy, keyless, sql, empty])
  for (const fault of [
    'Class Unmarked is not marked with @Projection(name, { from }).',
    'Projection misfit follows Unmarked, which is not among the aggregates of this application.',
    'Misfit.filled handles BasketFilled, which is no event of Order, Unmarked.',
    'Projection misfit handles event order.placed twice: in Misfit.one and in Misfit.two.',
    'Two projections are called orders-view. The name is storage and belongs to one.',
    'Table orders belongs to two projections: orders-view and orders-view. A table is written by one.',
    expect.stringContaining('Projection keyless needs { key: (event, context) => … }'),
    'Projection sql has SQL of its own, which memory read models cannot run; use postgresReadModels.',
    'Projection empty follows nothing: name its aggregates in { from: [...] }.',
    'Projection empty handles no event: mark methods with @EventHandler of @narrative/projections.',
  ]) {
    expect(faults).toContainEqual(fault)
  }
})

test('what is wrong with several tables is said together', async () => {
  const stock = table('stock', { key: 'id', columns: { id: 'text', note: 'varchar' as 'text' } })
  @Projection('several', { from: [Order], tables: { orders, again: orders, stock }, key: () => 'a' })
  class Several {
    @EventHandler(OrderPlaced) placed() {
      return undefined
    }
  }
  @Projection('every', { from: [Order], table: stock, tables: { orders }, sql: { setup: '', reset: '' } } as object as {
    from: []
  })
  class Every {
    @EventHandler(OrderPlaced, () => ({ orders: 'a' })) placed() {}
  }
  const none = defineProjection({ name: 'none', from: [Order], tables: {}, on: {} })
  const faults = await faultsOf([Several, Every, none, OrdersView])
  for (const fault of [
    'Projection several has table orders twice: as orders and as again.',
    'Projection several has tables and a key: with tables, each handler says which rows it concerns.',
    'Several.placed does not say which rows it concerns: @EventHandler(OrderPlaced, (event, context) => ({ orders: … })).',
    expect.stringContaining('Column note of table stock has the unknown type "varchar"'),
    'Projection every has a table and tables and SQL of its own; it can have one.',
    'Every.placed asks for rows by table, but projection every has no { tables }.',
    'Projection none names no table in { tables: { … } }.',
    'Table orders belongs to two projections: several and orders-view. A table is written by one.',
    'Table stock belongs to two projections: several and every. A table is written by one.',
  ]) {
    expect(faults).toContainEqual(fault)
  }
})

test('a projection without a class, with a key of its own', async () => {
  const customers = table('customers', { key: 'customerId', columns: { customerId: 'text', orders: 'integer' } })
  const definition = defineProjection({
    name: 'customers',
    from: [Order],
    table: customers,
    key: (event: OrderPlaced) => event.customerId,
    on: {
      'order.placed': (row, event: OrderPlaced) => ({ customerId: event.customerId, orders: (row?.orders ?? 0) + 1 }),
    },
  })
  const store = memoryReadModels()
  const views = projections([definition], { store })
  const app = await createApplication({
    aggregates: [Order],
    parts: [views],
    validator: noValidation,
    logger: silentLogger,
  })
  let position = { topic: '', partition: 0, offset: 0 }
  for (const orderId of ['a', 'b', 'c']) {
    const events = [new OrderPlaced(orderId, orderId === 'c' ? 'bob' : 'ada', [], 1)]
    position = (await app.commands.execute(new RecordEvents({ orderId, events }))).position ?? position
    await views.waitFor!(position, { readModel: definition, timeout: 20_000 })
  }
  expect(store.rows(customers).all()).toEqual([
    { customerId: 'ada', orders: 2 },
    { customerId: 'bob', orders: 1 },
  ])
  await app.stop()
})
