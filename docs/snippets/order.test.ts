// The test of the README and of the first guide.
// #region test
import { given } from '@narrative/testing'
import { test } from 'vitest'
import { Order, OrderPlaced, PlaceOrder } from './order.js'

const placeOrder = new PlaceOrder({ orderId: '0197d4c2-6f4b-7a5e-9c1d-2f6a8b3c4d5e', total: 4200 })

test('an order is placed', () => given(Order).when(placeOrder).then(new OrderPlaced(4200)))

test('an order is placed once', () =>
  given(Order).events(new OrderPlaced(4200)).when(placeOrder).thenRejects('order.already-placed'))
// #endregion
