// The queries over HTTP: one order (now, live, or as of then), a customer's orders (now or live), an order's history.
import { type Application, formatPosition, type LiveQueryOptions } from '@narrative/core'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { Order } from '../orders/order.js'
import { OrderUnknown } from '../orders/refusals.js'
import { isText } from '../orders/rules.js'
import { GetOrder } from '../orders-view/get-order.js'
import { ListOrders } from '../orders-view/list-orders.js'
import type { OrderRow } from '../orders-view/orders-table.js'
import { parseAsOf } from './as-of.js'
import { entityTag } from './if-match.js'
import { sendLive, wantsLive } from './live-answers.js'
import { type OrderPath, orderIdOf } from './order-path.js'
import { badRequest, Problem } from './problem.js'

interface Search {
  Querystring: { customerId?: unknown; limit?: unknown; offset?: unknown }
}

/**
 * @param readTimeout how long a query waits for the position in Narrative-After, milliseconds
 * @param closing aborts when the server closes
 */
export function orderViewRoutes(
  server: FastifyInstance,
  app: Application,
  readTimeout: number,
  closing: AbortSignal,
): void {
  const waiting = ({ headers }: FastifyRequest) => {
    const after = headers['narrative-after']
    return after === undefined ? {} : { after: String(after), timeout: readTimeout }
  }

  server.get<OrderPath & { Querystring: { asOf?: unknown } }>('/v1/orders/:orderId', async (request, reply) => {
    const orderId = orderIdOf(request as FastifyRequest<OrderPath>)
    const { asOf } = request.query
    if (asOf === undefined && wantsLive(request as FastifyRequest)) {
      return sendLive(reply, closing, (signal) => liveOrder(orderId, { ...waiting(request), signal }))
    }
    const order =
      asOf === undefined
        ? await app.queries.execute(new GetOrder(orderId), waiting(request))
        : await orderAsOf(app, orderId, asOf)
    if (order === undefined) throw new OrderUnknown(orderId)
    reply.header('etag', entityTag(order.version))
    return order
  })

  async function* liveOrder(orderId: string, options: LiveQueryOptions) {
    for await (const order of app.queries.subscribe(new GetOrder(orderId), options)) {
      if (order === undefined) throw new OrderUnknown(orderId)
      yield order
    }
  }

  server.get<Search>('/v1/orders', async (request, reply) => {
    const { customerId } = request.query
    if (!isText(customerId, 100)) {
      throw badRequest('http.malformed-query', 'customerId', 'must be given, once, as text of 1 to 100 characters')
    }
    const limit = wholeNumber('limit', request.query.limit, 1, 1000, 100)
    const offset = wholeNumber('offset', request.query.offset, 0, Number.MAX_SAFE_INTEGER, 0)
    const query = new ListOrders(customerId, limit + 1, offset)
    const page = (found: readonly OrderRow[]) => {
      const orders = found.slice(0, limit)
      if (found.length <= limit) return { orders }
      const next = new URLSearchParams({ customerId, limit: String(limit), offset: String(offset + limit) })
      return { orders, next: `/v1/orders?${next}` }
    }
    if (!wantsLive(request as FastifyRequest)) return page(await app.queries.execute(query, waiting(request)))
    return sendLive(reply, closing, async function* (signal) {
      for await (const found of app.queries.subscribe(query, { ...waiting(request), signal })) yield page(found)
    })
  })

  server.get<OrderPath>('/v1/orders/:orderId/history', async (request) => {
    const orderId = orderIdOf(request)
    const events: object[] = []
    for await (const recorded of app.aggregates.history(Order, orderId)) {
      const { version, type, schemaVersion, event: data, id, metadata } = recorded
      const time = new Date(recorded.time).toISOString()
      events.push({
        version,
        type,
        schemaVersion,
        data,
        position: formatPosition(recorded.position),
        time,
        id,
        metadata,
      })
    }
    if (events.length === 0) throw new OrderUnknown(orderId)
    return { events }
  })
}

/** Folded from the events, so it needs no view of the past. */
async function orderAsOf(app: Application, orderId: string, asOf: unknown) {
  const until = parseAsOf(asOf)
  const { state, version } = await app.aggregates.state(Order, orderId, until)
  if (version === 0) return undefined
  if (until.version !== undefined && version < until.version) {
    throw new Problem(
      404,
      'order.version-unknown',
      `Order ${orderId} is at version ${version}; it has no version ${until.version} yet.`,
    )
  }
  const { customerId, status, lines, total } = state
  return { orderId, customerId, status, lines, total, version }
}

function wholeNumber(name: string, text: unknown, min: number, max: number, fallback: number): number {
  if (text === undefined) return fallback
  const value = typeof text === 'string' && /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  if (value >= min && value <= max) return value
  throw badRequest('http.malformed-query', name, `must be a whole number from ${min} to ${max}`)
}
