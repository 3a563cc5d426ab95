// The table of the orders view, and with it the row that HTTP shows.
import { column, type ReaderOf, type RowOf, table } from '@narrative/projections'
import type { OrderLine } from '../orders/order-line.js'

export const orders = table('orders', {
  key: 'orderId',
  columns: {
    orderId: 'uuid',
    customerId: 'text',
    status: column<'placed' | 'cancelled'>('text'),
    lines: column<readonly OrderLine[]>('jsonb'),
    total: 'bigint',
    version: 'bigint',
  },
  indexes: ['customerId'],
})

export type OrderRow = RowOf<typeof orders>
export type OrdersReader = ReaderOf<typeof orders>
