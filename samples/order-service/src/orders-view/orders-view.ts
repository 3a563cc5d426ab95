// The orders view: what the events say about each order, folded into one row.
import { EventHandler, Projection, type ProjectionContext } from '@narrative/projections'
import { Order } from '../orders/order.js'
import { OrderCancelled } from '../orders/order-cancelled.js'
import { OrderPlaced } from '../orders/order-placed.js'
import { type OrderRow, orders } from './orders-table.js'

@Projection('orders-view', { from: [Order], table: orders })
export class OrdersView {
  @EventHandler(OrderPlaced)
  placed(_row: OrderRow | undefined, event: OrderPlaced, { version }: ProjectionContext): OrderRow {
    const { orderId, customerId, lines, total } = event
    return { orderId, customerId, status: 'placed', lines, total, version }
  }

  @EventHandler(OrderCancelled)
  cancelled(row: OrderRow, _event: OrderCancelled, { version }: ProjectionContext): OrderRow {
    return { ...row, status: 'cancelled', version }
  }
}
