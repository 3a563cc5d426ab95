// The read model of the guides: a table, its fold, and the query that reads it.
// #region table
import { column, EventHandler, Projection, type RowOf, table } from '@narrative/projections'
import { Order, OrderPlaced } from './order.js'

export const orders = table('orders', {
  key: 'orderId',
  columns: { orderId: 'uuid', status: column<'placed' | 'cancelled'>('text'), total: 'bigint' },
  indexes: ['status'],
})
export type OrderRow = RowOf<typeof orders>

// #endregion

// #region projection
import type { ProjectionContext } from '@narrative/projections'

@Projection('orders-view', { from: [Order], table: orders })
export class OrdersView {
  @EventHandler(OrderPlaced)
  placed(_row: OrderRow | undefined, event: OrderPlaced, { aggregateId }: ProjectionContext): OrderRow {
    return { orderId: aggregateId, status: 'placed', total: event.total }
  }
}

// #endregion

// #region query
import { Query, QueryHandler, returns } from '@narrative/core'
import type { ReaderOf } from '@narrative/projections'
import { inject } from 'inversify'

@Query('order.by-id')
export class GetOrder {
  declare readonly [returns]: OrderRow | undefined
  constructor(readonly orderId: string) {}
}

export class OrderQueries {
  constructor(@inject(orders.reader) private readonly view: ReaderOf<typeof orders>) {}

  @QueryHandler(GetOrder, { reads: OrdersView })
  get(query: GetOrder) {
    return this.view.findByKey(query.orderId)
  }
}
// #endregion
