// What the guide to testing shows of projections.
// #region projecting
import { projecting } from '@narrative/testing'
import { test } from 'vitest'
import { OrderPlaced } from './order.js'
import { OrdersView } from './orders-view.js'

const orderId = '0197d4c2-6f4b-7a5e-9c1d-2f6a8b3c4d5e'

test('a placed order is in the view', () =>
  projecting(OrdersView).events(orderId, new OrderPlaced(4200)).thenRows({ orderId, status: 'placed', total: 4200 }))
// #endregion
