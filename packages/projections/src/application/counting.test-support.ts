// A view that is only right if every event was applied once: it counts and adds up.
import { EventHandler, Projection, type ProjectionContext, type RowOf, table } from '../index.js'
import { Order, OrderPlaced, OrderRepriced } from './orders.test-support.js'

export const counts = table('counts', {
  key: 'orderId',
  columns: { orderId: 'text', events: 'integer', sum: 'bigint', lastVersion: 'integer' },
})
type Row = RowOf<typeof counts>

@Projection('counting', { from: [Order], table: counts })
export class Counting {
  @EventHandler(OrderPlaced) placed(row: Row | undefined, event: OrderPlaced, context: ProjectionContext): Row {
    return this.add(row, event.total, context)
  }
  @EventHandler(OrderRepriced) repriced(row: Row | undefined, event: OrderRepriced, context: ProjectionContext): Row {
    return this.add(row, event.total, context)
  }
  private add(row: Row | undefined, amount: number, { aggregateId, version }: ProjectionContext): Row {
    const { events, sum } = row ?? { events: 0, sum: 0 }
    return { orderId: aggregateId, events: events + 1, sum: sum + amount, lastVersion: version }
  }
}
