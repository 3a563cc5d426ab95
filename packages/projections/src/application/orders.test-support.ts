// The domain that this package's tests tell their stories in: an order, its events, its table and its view.
import {
  Aggregate,
  AggregateId,
  Command,
  CommandHandler,
  Event,
  EventHandler as Evolve,
  type Fields,
} from '@narrative/core'
import { column, EventHandler, Projection, type ProjectionContext, type RowOf, table } from '../index.js'

export interface OrderLine {
  readonly productId: string
  readonly quantity: number
}

@Event('order.placed')
export class OrderPlaced {
  constructor(
    readonly orderId: string,
    readonly customerId: string,
    readonly lines: readonly OrderLine[],
    readonly total: number,
  ) {}
}

@Event('order.repriced')
export class OrderRepriced {
  constructor(readonly total: number) {}
}

@Event('order.cancelled')
export class OrderCancelled {
  constructor(readonly reason: string) {}
}

@Event('order.erased')
export class OrderErased {
  constructor(readonly by: string) {}
}

/** An event that no projection here handles. */
@Event('order.viewed')
export class OrderViewed {
  constructor(readonly by: string) {}
}

@Command('order.record')
export class RecordEvents {
  @AggregateId() readonly orderId!: string
  readonly events!: readonly object[]
  constructor(fields: Fields<RecordEvents>) {
    Object.assign(this, fields)
  }
}

@Aggregate('order')
export class Order {
  @CommandHandler(RecordEvents) record(command: RecordEvents) {
    return command.events
  }
  @Evolve(OrderPlaced) placed() {}
  @Evolve(OrderRepriced) repriced() {}
  @Evolve(OrderCancelled) cancelled() {}
  @Evolve(OrderErased) erased() {}
  @Evolve(OrderViewed) viewed() {}
}

export const orders = table('orders', {
  key: 'orderId',
  columns: {
    orderId: 'text',
    customerId: 'text',
    status: column<'placed' | 'cancelled'>('text'),
    lines: column<readonly OrderLine[]>('jsonb'),
    total: 'bigint',
    version: 'integer',
    reason: 'text | null',
  },
  indexes: ['customerId'],
})
export type OrderRow = RowOf<typeof orders>

@Projection('orders-view', { from: [Order], table: orders })
export class OrdersView {
  @EventHandler(OrderPlaced)
  placed(_row: OrderRow | undefined, event: OrderPlaced, context: ProjectionContext): OrderRow {
    const { customerId, lines, total } = event
    return {
      orderId: context.aggregateId,
      customerId,
      status: 'placed',
      lines,
      total,
      version: context.version,
      reason: null,
    }
  }

  @EventHandler(OrderRepriced)
  repriced(row: OrderRow | undefined, event: OrderRepriced, { version }: ProjectionContext): OrderRow | undefined {
    return row && { ...row, total: event.total, version }
  }

  @EventHandler(OrderCancelled)
  cancelled(row: OrderRow | undefined, event: OrderCancelled, { version }: ProjectionContext): OrderRow | undefined {
    return row && { ...row, status: 'cancelled', reason: event.reason, version }
  }

  @EventHandler(OrderErased)
  erased(_row: OrderRow | undefined): OrderRow | undefined {
    return undefined
  }
}
