// One run through everything the decorators of this service mark, as plain data: what a compiler makes of them shows here.
import { createApplication, fromJson } from '@narrative/core'
import { memoryReadModels, projections } from '@narrative/projections'
import { CancelOrder } from './orders/cancel-order.js'
import { Order } from './orders/order.js'
import { OrderLine } from './orders/order-line.js'
import { PlaceOrder } from './orders/place-order.js'
import { GetOrder } from './orders-view/get-order.js'
import { OrderQueries } from './orders-view/order-queries.js'
import { OrdersView } from './orders-view/orders-view.js'

const orderId = '01a1fe1c-c78e-750d-a27e-10f866c65a35'
const line = { productId: 'tea', quantity: 2, unitPrice: 450 }

export async function probe() {
  const app = await createApplication({
    aggregates: [Order],
    queryHandlers: [OrderQueries],
    parts: [projections([OrdersView], { store: memoryReadModels() })],
  })
  const violations = async (json: object) =>
    app.commands.execute(fromJson(PlaceOrder, json)).then(
      () => 'none',
      (error) => error.details.violations,
    )
  const command = fromJson(PlaceOrder, { orderId, customerId: 'ada', lines: [line] })
  const placed = await app.commands.execute(command)
  const cancelled = await app.commands.execute(new CancelOrder({ orderId, reason: 'too late' }))
  const found = {
    emitsMetadata: Reflect.getMetadata('design:type', PlaceOrder.prototype, 'lines') !== undefined,
    nested: command.lines[0] instanceof OrderLine,
    fields: Object.keys(new CancelOrder({ orderId, reason: 'x' })),
    violations: [await violations({}), await violations({ ...command, lines: [{ ...line, quantity: 0.5, gift: 1 }] })],
    events: [...placed.events, ...cancelled.events].map((event) => [event.constructor.name, { ...event }]),
    state: { ...(await app.aggregates.state(Order, orderId)).state },
    row: await app.queries.execute(new GetOrder(orderId), { after: cancelled.position }),
  }
  await app.stop()
  return found
}
