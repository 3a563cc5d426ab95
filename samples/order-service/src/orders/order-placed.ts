// The fact that an order was placed.
import { Event } from '@narrative/core'
import type { OrderLine } from './order-line.js'

@Event('order.placed')
export class OrderPlaced {
  constructor(
    readonly orderId: string,
    readonly customerId: string,
    readonly lines: readonly OrderLine[],
    /** In cents. Prices change later; what the customer agreed to does not. */
    readonly total: number,
  ) {}
}
