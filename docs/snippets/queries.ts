// What the guide to commands shows of queries.
import { type Application, formatPosition } from '@narrative/core'
import { PlaceOrder } from './order.js'
import { GetOrder } from './orders-view.js'

export async function follow(app: Application, orderId: string, signal: AbortSignal) {
  // #region live
  for await (const order of app.queries.subscribe(new GetOrder(orderId), { signal })) {
    console.log(order?.status ?? 'not there yet')
  }
  // #endregion
}

export async function placeAndRead(app: Application, orderId: string) {
  // #region ask
  const { position } = await app.commands.execute(new PlaceOrder({ orderId, total: 4200 }))
  const order = await app.queries.execute(new GetOrder(orderId), { after: position })
  // #endregion
  return { order, token: position && formatPosition(position) }
}
