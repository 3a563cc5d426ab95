// The order: what may happen to it, and what it is after that has happened.
import { Aggregate, CommandHandler, EventHandler } from '@narrative/core'
import { CancelOrder } from './cancel-order.js'
import { OrderCancelled } from './order-cancelled.js'
import type { OrderLine } from './order-line.js'
import { OrderPlaced } from './order-placed.js'
import { totalOf } from './order-total.js'
import { PlaceOrder } from './place-order.js'
import { OrderAlreadyCancelled, OrderAlreadyPlaced, OrderUnknown } from './refusals.js'

@Aggregate('order')
export class Order {
  status: 'new' | 'placed' | 'cancelled' = 'new'
  customerId = ''
  lines: readonly OrderLine[] = []
  total = 0

  @CommandHandler(PlaceOrder)
  place({ orderId, customerId, lines }: PlaceOrder): OrderPlaced {
    if (this.status !== 'new') throw new OrderAlreadyPlaced(orderId)
    const plainLines = lines.map(({ productId, quantity, unitPrice }) => ({ productId, quantity, unitPrice }))
    return new OrderPlaced(orderId, customerId, plainLines, totalOf(lines))
  }

  @CommandHandler(CancelOrder)
  cancel({ orderId, reason }: CancelOrder): OrderCancelled {
    if (this.status === 'new') throw new OrderUnknown(orderId)
    if (this.status === 'cancelled') throw new OrderAlreadyCancelled(orderId)
    return new OrderCancelled(orderId, reason)
  }

  @EventHandler(OrderPlaced)
  onPlaced({ customerId, lines, total }: OrderPlaced): void {
    this.status = 'placed'
    this.customerId = customerId
    this.lines = lines
    this.total = total
  }

  @EventHandler(OrderCancelled)
  onCancelled(): void {
    this.status = 'cancelled'
  }
}
