// The question: what does this order look like?
import { Query, returns } from '@narrative/core'
import type { OrderRow } from './orders-table.js'

@Query('order.by-id')
export class GetOrder {
  declare readonly [returns]: OrderRow | undefined

  constructor(readonly orderId: string) {}
}
