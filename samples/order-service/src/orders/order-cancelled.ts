// The fact that an order was cancelled.
import { Event } from '@narrative/core'

@Event('order.cancelled')
export class OrderCancelled {
  constructor(
    readonly orderId: string,
    readonly reason: string,
  ) {}
}
