// The order id in a path.
import type { FastifyRequest } from 'fastify'
import { validate as isUuid } from 'uuid'
import { OrderUnknown } from '../orders/refusals.js'

export interface OrderPath {
  Params: { orderId: string }
}

/** UUIDs are written in many ways and stored in one. What is no UUID is the id of no order. */
export function orderIdOf({ params: { orderId } }: FastifyRequest<OrderPath>): string {
  if (!isUuid(orderId)) throw new OrderUnknown(orderId)
  return orderId.toLowerCase()
}
