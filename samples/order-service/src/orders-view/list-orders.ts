// The question: which orders does this customer have?
import { Query, returns } from '@narrative/core'
import type { OrderRow } from './orders-table.js'

@Query('order.by-customer')
export class ListOrders {
  declare readonly [returns]: readonly OrderRow[]

  constructor(
    readonly customerId: string,
    readonly limit: number,
    readonly offset: number,
  ) {}
}
