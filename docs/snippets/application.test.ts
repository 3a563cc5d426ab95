// The application of the first guide, put together and used.
// #region application
import { createApplication } from '@narrative/core'
import { memoryReadModels, projections } from '@narrative/projections'
import { expect, test } from 'vitest'
import { Order, PlaceOrder } from './order.js'
import { GetOrder, OrderQueries, OrdersView } from './orders-view.js'

const orderId = '0197d4c2-6f4b-7a5e-9c1d-2f6a8b3c4d5e'

test('an order is placed and read back', async () => {
  const app = await createApplication({
    aggregates: [Order],
    queryHandlers: [OrderQueries],
    parts: [projections([OrdersView], { store: memoryReadModels() })],
  })

  const { version, position } = await app.commands.execute(new PlaceOrder({ orderId, total: 4200 }))
  const order = await app.queries.execute(new GetOrder(orderId), { after: position })

  expect(version).toBe(1)
  expect(order).toEqual({ orderId, status: 'placed', total: 4200 })
  await app.stop()
})
// #endregion
