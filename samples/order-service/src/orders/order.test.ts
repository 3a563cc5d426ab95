// What an order does, in its own words.
import { given } from '@narrative/testing'
import { describe, test } from 'vitest'
import { CancelOrder } from './cancel-order.js'
import { Order } from './order.js'
import { OrderCancelled } from './order-cancelled.js'
import { OrderLine } from './order-line.js'
import { OrderPlaced } from './order-placed.js'
import { PlaceOrder } from './place-order.js'
import { OrderAlreadyCancelled, OrderAlreadyPlaced, OrderUnknown } from './refusals.js'

const orderId = '01a1fe1c-c78e-750d-a27e-10f866c65a35'
const lines = [
  { productId: 'tea', quantity: 2, unitPrice: 450 },
  { productId: 'cup', quantity: 1, unitPrice: 1200 },
]
const place = new PlaceOrder({ orderId, customerId: 'ada', lines: lines.map((line) => new OrderLine(line)) })
const placed = new OrderPlaced(orderId, 'ada', lines, 2100)
const cancel = new CancelOrder({ orderId, reason: 'found a nicer cup' })
const cancelled = new OrderCancelled(orderId, 'found a nicer cup')

describe('an order', () => {
  test('is placed with its total', () => given(Order).when(place).then(placed))

  test('is placed once', () => given(Order).events(placed).when(place).thenRejects(OrderAlreadyPlaced))

  test('is not placed again after it was cancelled', () =>
    given(Order).events(placed, cancelled).when(place).thenRejects(OrderAlreadyPlaced))

  test('can be cancelled', () => given(Order).events(placed).when(cancel).then(cancelled))

  test('is cancelled once', () =>
    given(Order).events(placed, cancelled).when(cancel).thenRejects(OrderAlreadyCancelled))

  test('cannot be cancelled before it exists', () => given(Order).when(cancel).thenRejects(OrderUnknown))

  test('keeps what was agreed when it is cancelled', () =>
    given(Order).events(placed).when(cancel).thenState({ status: 'cancelled', customerId: 'ada', lines, total: 2100 }))

  test('needs lines', () =>
    given(Order)
      .when(new PlaceOrder({ orderId, customerId: 'ada', lines: [] }))
      .thenRejects('COMMAND_INVALID'))
})
