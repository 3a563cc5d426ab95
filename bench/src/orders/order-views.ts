// The two read models under measurement: one in memory, one in a Postgres table, both the same fold.
import { EventHandler, Projection, type RowOf, table } from '@narrative/projections'
import { LineAdded, Order } from './order.js'

/** What is known of an order. */
export interface OrderTotal {
  lines: number
  total: number
}

/** Adds a line to a total in place: what the projection in memory and the raw consumer beside it both do. */
export function addToTotals(totals: Map<string, OrderTotal>, line: LineAdded): void {
  const known = totals.get(line.orderId)
  if (known === undefined) {
    totals.set(line.orderId, { lines: 1, total: line.quantity * line.unitPrice })
    return
  }
  known.lines++
  known.total += line.quantity * line.unitPrice
}

@Projection('bench-order-totals', { from: [Order] })
export class OrderTotals {
  /** Where the state is: outside, so that a turn can look whether all of it arrived. */
  static readonly totals = new Map<string, OrderTotal>()

  reset(): void {
    OrderTotals.totals.clear()
  }

  @EventHandler(LineAdded)
  lineAdded(event: LineAdded): void {
    addToTotals(OrderTotals.totals, event)
  }
}

export const orderRows = table('bench_orders', {
  key: 'orderId',
  columns: { orderId: 'uuid', lines: 'integer', total: 'bigint', lastProductId: 'text' },
})

type OrderRow = RowOf<typeof orderRows>

@Projection('bench-orders', { from: [Order], table: orderRows })
export class OrdersView {
  @EventHandler(LineAdded)
  lineAdded(row: OrderRow | undefined, { orderId, productId, quantity, unitPrice }: LineAdded): OrderRow {
    return {
      orderId,
      lines: (row?.lines ?? 0) + 1,
      total: (row?.total ?? 0) + quantity * unitPrice,
      lastProductId: productId,
    }
  }
}
