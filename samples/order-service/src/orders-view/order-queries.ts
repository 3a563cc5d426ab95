// Answers the questions about orders from the orders view.
import { QueryHandler } from '@narrative/core'
import { inject } from 'inversify'
import { GetOrder } from './get-order.js'
import { ListOrders } from './list-orders.js'
import { type OrderRow, type OrdersReader, orders } from './orders-table.js'
import { OrdersView } from './orders-view.js'

export class OrderQueries {
  constructor(@inject(orders.reader) private readonly reader: OrdersReader) {}

  @QueryHandler(GetOrder, { reads: OrdersView })
  get({ orderId }: GetOrder): Promise<OrderRow | undefined> {
    return this.reader.findByKey(orderId)
  }

  @QueryHandler(ListOrders, { reads: OrdersView })
  list({ customerId, limit, offset }: ListOrders): Promise<readonly OrderRow[]> {
    return this.reader.findWhere({ customerId }, { limit, offset })
  }
}
