// What the guide to projections shows beside tables.
import {
  EventHandler,
  Projection,
  type ProjectionContext,
  type Projections,
  postgresReadModels,
  projections,
  type RowOf,
  type SqlProjectionContext,
  table,
} from '@narrative/projections'
import { Order, OrderPlaced } from './order.js'
import { OrdersView, orders } from './orders-view.js'

const versions = table('order_versions', {
  key: ['orderId', 'version'],
  columns: { orderId: 'uuid', version: 'integer', total: 'bigint' },
})
const invoices = table('invoices', { key: 'orderId', columns: { orderId: 'uuid', number: 'integer', total: 'bigint' } })

// #region sql
@Projection('revenue', {
  from: [Order],
  sql: {
    setup: 'CREATE TABLE IF NOT EXISTS revenue (day date PRIMARY KEY, total bigint NOT NULL)',
    reset: 'TRUNCATE revenue',
  },
})
export class Revenue {
  @EventHandler(OrderPlaced)
  async placed(event: OrderPlaced, { client, time }: SqlProjectionContext) {
    await client.query(
      `INSERT INTO revenue VALUES (to_timestamp($1 / 1000.0)::date, $2)
       ON CONFLICT (day) DO UPDATE SET total = revenue.total + EXCLUDED.total`,
      [time, event.total],
    )
  }
}
// #endregion

// #region policy
@Projection('invoices', { from: [Order], table: invoices, onFailure: { retries: 5, action: 'stop' } })
export class Invoices {
  // #endregion
  @EventHandler(OrderPlaced)
  placed(
    _row: RowOf<typeof invoices> | undefined,
    { total }: OrderPlaced,
    { aggregateId, version }: ProjectionContext,
  ) {
    return { orderId: aggregateId, number: version, total }
  }
}

// #region workers
@Projection('order-versions', {
  from: [Order],
  table: versions,
  key: (_event, { aggregateId, version }) => ({ orderId: aggregateId, version }),
  workers: 'many', // the key begins with the order's id: all events of a row are of one stream
})
// #endregion
export class OrderVersions {
  @EventHandler(OrderPlaced)
  placed(
    _row: RowOf<typeof versions> | undefined,
    { total }: OrderPlaced,
    { aggregateId, version }: ProjectionContext,
  ) {
    return { orderId: aggregateId, version, total }
  }
}

// #region memory
@Projection('largest-order', { from: [Order] })
export class LargestOrder {
  largest: { orderId: string; total: number } | undefined

  @EventHandler(OrderPlaced)
  placed(event: OrderPlaced, { aggregateId }: ProjectionContext) {
    if (event.total > (this.largest?.total ?? 0)) this.largest = { orderId: aggregateId, total: event.total }
  }

  reset() {
    this.largest = undefined
  }
}
// #endregion

export async function lastYear(views: Projections, orderId: string) {
  // #region as-of
  const then = await views.asOf(OrdersView, { asOf: new Date('2026-01-01T00:00:00Z') })
  const order = await then.reader(orders).findByKey(orderId)
  // #endregion
  return order
}

export async function rebuildAll(url: string) {
  // #region rebuild
  const views = projections([OrdersView, Revenue], { store: postgresReadModels({ url }) })
  // … createApplication({ …, parts: [views] }), and then, while it runs:
  await views.rebuild(OrdersView, {
    onProgress: ({ events, total, eventsPerSecond, secondsLeft }) =>
      console.log(`${events}/${total}, ${Math.round(eventsPerSecond)}/s, ${Math.ceil(secondsLeft ?? 0)} s left`),
  })
  // #endregion
}
