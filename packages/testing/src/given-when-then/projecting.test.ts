import { Aggregate, AggregateId, Command, CommandHandler, Event, EventHandler as Evolve } from '@narrative/core'
import {
  column,
  defineProjection,
  EventHandler,
  Projection,
  type ProjectionContext,
  type RowOf,
  table,
  where,
} from '@narrative/projections'
import { inject } from 'inversify'
import { expect, test } from 'vitest'
import { projecting } from './projecting.js'

@Event('order.placed')
class OrderPlaced {
  constructor(
    readonly customer: string,
    readonly total: number,
  ) {}
}

@Event('order.cancelled')
class OrderCancelled {}

@Event('order.erased')
class OrderErased {}

@Event('customer.renamed')
class CustomerRenamed {
  constructor(readonly name: string) {}
}

@Event('invoice.sent')
class InvoiceSent {}

@Command('order.touch')
class TouchOrder {
  @AggregateId() readonly id!: string
}

@Command('customer.touch')
class TouchCustomer {
  @AggregateId() readonly id!: string
}

@Aggregate('order')
class Order {
  @CommandHandler(TouchOrder) touch(_: TouchOrder) {}
  @Evolve(OrderPlaced) placed() {}
  @Evolve(OrderCancelled) cancelled() {}
  @Evolve(OrderErased) erased() {}
}

@Aggregate('customer')
class Customer {
  @CommandHandler(TouchCustomer) touch(_: TouchCustomer) {}
  @Evolve(CustomerRenamed) renamed() {}
}

const orders = table('orders', {
  key: 'orderId',
  columns: { orderId: 'text', status: column<'placed' | 'cancelled'>('text'), total: 'bigint', time: 'bigint' },
})
type OrderRow = RowOf<typeof orders>

@Projection('orders-view', { from: [Order], table: orders })
class OrdersView {
  @EventHandler(OrderPlaced)
  placed(_row: OrderRow | undefined, event: OrderPlaced, { aggregateId, time }: ProjectionContext): OrderRow {
    return { orderId: aggregateId, status: 'placed', total: event.total, time }
  }

  @EventHandler(OrderCancelled)
  cancelled(row: OrderRow | undefined): OrderRow | undefined {
    if (row === undefined) throw new Error('There is no order to cancel.')
    return { ...row, status: 'cancelled' }
  }

  @EventHandler(OrderErased)
  erased(): OrderRow | undefined {
    return undefined
  }
}

const time = Date.UTC(2026, 0, 1)

test('the rows that follow from some events, of one aggregate and of several', async () => {
  await projecting(OrdersView)
    .events('1', new OrderPlaced('ada', 250), new OrderCancelled())
    .thenRows({ orderId: '1', status: 'cancelled', total: 250, time })
  await projecting(OrdersView)
    .events('2', new OrderPlaced('ada', 250))
    .events('1', new OrderPlaced('bob', 1))
    .events('2', new OrderCancelled())
    .events('3', new OrderPlaced('eve', 7), new OrderErased())
    .thenRows(
      { orderId: '1', status: 'placed', total: 1, time },
      { orderId: '2', status: 'cancelled', total: 250, time },
    )
  await projecting(OrdersView).thenRows()
  // @ts-expect-error A row has the columns that the handlers return.
  await expect(projecting(OrdersView).thenRows({ orderId: '1' })).rejects.toThrow('not the expected ones')
})

test('a clock and services', async () => {
  const totals = table('totals', { key: 'id', columns: { id: 'text', total: 'integer' } })

  @Projection('totals', { from: [Order], table: totals })
  class Totals {
    constructor(@inject('factor') private readonly factor: number) {}
    @EventHandler(OrderPlaced)
    placed(
      row: RowOf<typeof totals> | undefined,
      event: OrderPlaced,
      context: ProjectionContext,
    ): RowOf<typeof totals> {
      return { id: context.aggregateId, total: (row?.total ?? 0) + event.total * this.factor + context.time }
    }
  }
  await projecting(Totals, { clock: { now: () => 1 }, services: [['factor', 10]] })
    .events('1', new OrderPlaced('ada', 2), new OrderPlaced('ada', 3))
    .thenRows({ id: '1', total: 52 })
})

test('a definition without a class, and aggregates of several categories', async () => {
  const names = table('names', { key: 'name', columns: { name: 'text', count: 'integer' } })
  const counts = defineProjection({
    name: 'names',
    from: [Order, Customer],
    table: names,
    key: (event) => event.customer ?? event.name,
    on: {
      'order.placed': (row, event) => ({ name: event.customer, count: (row?.count ?? 0) + 1 }),
      'customer.renamed': (row, event) => ({ name: event.name, count: (row?.count ?? 0) + 10 }),
    },
  })
  await projecting(counts)
    .events('1', new OrderPlaced('ada', 2))
    .events('7', new CustomerRenamed('ada'))
    .events('2', new OrderPlaced('ada', 2))
    .thenRows({ name: 'ada', count: 12 })
})

test('a wrong row, a missing row and an extra row', async () => {
  const placed = projecting(OrdersView).events('1', new OrderPlaced('ada', 250)).events('2', new OrderPlaced('bob', 1))
  const wrong = placed.thenRows(
    { orderId: '1', status: 'cancelled', total: 250, time },
    { orderId: '2', status: 'placed', total: 1, time },
  )
  await expect(wrong).rejects.toThrowErrorMatchingInlineSnapshot(`
    [AssertionError: The rows of orders-view are not the expected ones (- expected, + actual):

        {
          orderId: '1',
      -   status: 'cancelled',
      +   status: 'placed',
          time: 1767225600000,
          total: 250
        }
        {
          orderId: '2',
          status: 'placed',
          time: 1767225600000,
          total: 1
        }

      given  order.placed { customer: 'ada', total: 250 }
             order.placed { customer: 'bob', total: 1 }]
  `)
  const extra = placed.thenRows({ orderId: '1', status: 'placed', total: 250, time })
  await expect(extra).rejects.toThrowErrorMatchingInlineSnapshot(`
    [AssertionError: The rows of orders-view are not the expected ones (- expected, + actual):

        {
          orderId: '1',
          status: 'placed',
          time: 1767225600000,
          total: 250
        }
      + {
      +   orderId: '2',
      +   status: 'placed',
      +   time: 1767225600000,
      +   total: 1
      + }

      given  order.placed { customer: 'ada', total: 250 }
             order.placed { customer: 'bob', total: 1 }]
  `)
  const missing = projecting(OrdersView).thenRows({ orderId: '1', status: 'placed', total: 250, time })
  await expect(missing).rejects.toThrowErrorMatchingInlineSnapshot(`
    [AssertionError: The rows of orders-view are not the expected ones (- expected, + actual):

      - {
      -   orderId: '1',
      -   status: 'placed',
      -   time: 1767225600000,
      -   total: 250
      - }
      + no rows

      given  nothing]
  `)
})

test('a projection that stops at an event', async () => {
  const stopped = projecting(OrdersView).events('1', new OrderCancelled()).thenRows()
  await expect(stopped).rejects.toThrow(/The projection stopped: .*There is no order to cancel/s)
  await expect(stopped).rejects.toMatchObject({ cause: { code: 'PROJECTION_STOPPED' } })
})

test('a projection that is no pure fold', async () => {
  let calls = 0
  const impure = defineProjection({
    name: 'impure',
    from: [Order],
    table: table('impure', { key: 'id', columns: { id: 'text', call: 'integer' } }),
    on: { 'order.placed': (_row, _event, { aggregateId }) => ({ id: aggregateId, call: ++calls }) },
  })
  const story = projecting(impure).events('1', new OrderPlaced('ada', 2)).thenRows({ id: '1', call: 1 })
  await expect(story).rejects.toThrowErrorMatchingInlineSnapshot(`
    [AssertionError: Rebuilt from offset 0, impure has other rows than before: its handlers must depend on row, event and context alone, not on what else happened or on the order of events of different aggregates (- expected, + actual):

        {
      -   call: 1,
      +   call: 2,
          id: '1'
        }

      given  order.placed { customer: 'ada', total: 2 }]
  `)
})

test('a projection that relies on the order of events of different aggregates', async () => {
  const racing = defineProjection({
    name: 'racing',
    from: [Order, Customer],
    table: table('racing', { key: 'id', columns: { id: 'text', last: 'text' } }),
    on: {
      'order.placed': (_row, event, { aggregateId }) => ({ id: aggregateId, last: event.customer }),
      'customer.renamed': (_row, event, { aggregateId }) => ({ id: aggregateId, last: event.name }),
    },
  })
  const story = projecting(racing)
    .events('1', new CustomerRenamed('bob'), new OrderPlaced('ada', 2))
    .thenRows({ id: '1', last: 'ada' })
  await expect(story).rejects.toThrow('Rebuilt from offset 0, racing has other rows than before')
})

test('events and projections that do not fit', async () => {
  const foreign = projecting(OrdersView).events('1', new InvoiceSent()).thenRows()
  await expect(foreign).rejects.toMatchObject({ code: 'EVENT_FOREIGN' })
  class Unmarked {}
  await expect(projecting(Unmarked).thenRows()).rejects.toMatchObject({ code: 'STARTUP_FAULTS' })
  const own = defineProjection({ name: 'own', from: [Order], on: { 'order.placed': () => {} } })
  await expect(projecting(own).thenRows()).rejects.toThrow('Projection own has no table')
})

const labels = table('labels', {
  key: 'orderId',
  columns: { orderId: 'text', customer: 'text', name: 'text' },
  indexes: ['customer'],
})
const names = table('names', { key: 'customer', columns: { customer: 'text', name: 'text' } })

@Projection('labels', { from: [Order, Customer], tables: { labels, names } })
class Labels {
  @EventHandler(OrderPlaced, ({ customer }, { aggregateId }) => ({ labels: aggregateId, names: customer }))
  placed({ names: row }: { names: RowOf<typeof names> | undefined }, event: OrderPlaced, context: ProjectionContext) {
    return { labels: { orderId: context.aggregateId, customer: event.customer, name: row?.name ?? '' } }
  }

  @EventHandler(CustomerRenamed, (_event, { aggregateId: customer }) => ({
    names: customer,
    labels: where({ customer }),
  }))
  renamed(
    rows: { labels: readonly RowOf<typeof labels>[] },
    { name }: CustomerRenamed,
    { aggregateId: customer }: ProjectionContext,
  ) {
    return { names: { customer, name }, labels: rows.labels.map((label) => ({ ...label, name })) }
  }
}

test('the rows of several tables', async () => {
  const story = projecting(Labels)
    .events('ada', new CustomerRenamed('Ada'))
    .events('1', new OrderPlaced('ada', 250))
    .events('2', new OrderPlaced('bob', 1))
    .events('ada', new CustomerRenamed('Ada L.'))
  await story.thenTables({
    labels: [
      { orderId: '2', customer: 'bob', name: '' },
      { orderId: '1', customer: 'ada', name: 'Ada L.' },
    ],
    names: [{ customer: 'ada', name: 'Ada L.' }],
  })
  await projecting(Labels).thenTables({})
  await expect(story.thenTables({ names: [{ customer: 'ada', name: 'Ada' }] })).rejects.toThrow(
    "  labels:\n  - no rows\n  + {\n  +   customer: 'ada'",
  )
  await expect(story.thenRows()).rejects.toThrow(
    'labels has several tables: say thenTables({ labels: […], names: […] }).',
  )
  // @ts-expect-error it has no such table
  await expect(story.thenTables({ stock: [] })).rejects.toThrow('labels has no table stock; it has labels, names.')
})
