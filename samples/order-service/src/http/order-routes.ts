// The commands over HTTP: place an order, cancel it.
import { type Application, type CommandResult, formatPosition, fromJson } from '@narrative/core'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { CancelOrder } from '../orders/cancel-order.js'
import { Order } from '../orders/order.js'
import { PlaceOrder } from '../orders/place-order.js'
import { executeOnce, idempotencyKey, newOrderId } from './idempotency.js'
import { entityTag, executeIfMatch, wantedVersions } from './if-match.js'
import { type OrderPath, orderIdOf } from './order-path.js'
import { correlationHeader } from './request-metadata.js'

export function orderRoutes(server: FastifyInstance, app: Application): void {
  server.post('/v1/orders', async (request, reply) => {
    const key = idempotencyKey(request)
    const orderId = newOrderId(key)
    const command = fromJson(PlaceOrder, request.body, { orderId })
    const result = await executeOnce(app, 'order.place', key, command)
    await sayWhere(app, reply, result)
    reply.code(201).header('location', `/v1/orders/${orderId}`)
    return { orderId }
  })

  server.post<OrderPath>('/v1/orders/:orderId/cancel', async (request, reply) => {
    const orderId = orderIdOf(request)
    const key = idempotencyKey(request)
    const wanted = wantedVersions(request.headers['if-match'])
    const command = fromJson(CancelOrder, request.body, { orderId })
    const result = await executeIfMatch(orderId, wanted, (options) =>
      executeOnce(app, 'order.cancel', key, command, options),
    )
    await sayWhere(app, reply, result)
    return { orderId, version: result.version }
  })
}

/** The new version for If-Match, and the place in the log for Narrative-After. */
async function sayWhere(app: Application, reply: FastifyReply, result: CommandResult): Promise<void> {
  reply.header('etag', entityTag(result.version))
  if (result.position !== undefined) reply.header('narrative-position', formatPosition(result.position))
  if (!result.duplicate) return
  // A repeated answer is the first one again: it leads to the story that was told then, not to an empty one of now.
  for await (const event of app.aggregates.history(Order, result.aggregateId, { version: result.version })) {
    if (event.version === result.version) reply.header(correlationHeader, event.metadata.correlationId)
  }
}
