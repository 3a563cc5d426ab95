// What the events say about an order, as a row.
import { projecting } from '@narrative/testing'
import { test } from 'vitest'
import { OrderCancelled } from '../orders/order-cancelled.js'
import { OrderPlaced } from '../orders/order-placed.js'
import { OrdersView } from './orders-view.js'

const a = '01a1fe1c-c78e-750d-a27e-10f866c65a35'
const b = '01a1fe1c-c78e-750d-a27e-10f866c65a36'
const lines = [{ productId: 'tea', quantity: 2, unitPrice: 450 }]

test('an order is a row, and stays one when it is cancelled', () =>
  projecting(OrdersView)
    .events(a, new OrderPlaced(a, 'ada', lines, 900), new OrderCancelled(a, 'too late'))
    .events(b, new OrderPlaced(b, 'bob', lines, 900))
    .thenRows(
      { orderId: a, customerId: 'ada', status: 'cancelled', lines, total: 900, version: 2 },
      { orderId: b, customerId: 'bob', status: 'placed', lines, total: 900, version: 1 },
    ))
