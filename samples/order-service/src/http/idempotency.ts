// Idempotency-Key: the same key gives one order, and the same answer, however often and wherever the request arrives.
//
// Nothing is stored for it. The ids of order and command follow from the key, so the store itself refuses to act twice, on any
// instance and at any time later; and what was asked the first time is in the events it led to.
import { isDeepStrictEqual } from 'node:util'
import type { Application, CommandOptions, CommandResult, EventsOf } from '@narrative/core'
import type { FastifyRequest } from 'fastify'
import { v5 as uuidv5, v7 as uuidv7 } from 'uuid'
import { badRequest, Problem } from './problem.js'

/** Changing it would forget every key. */
const orderNamespace = '5f4e0e0c-8d0a-5f0e-9f57-2f0e6a3d6b11'

/** The key of a request, when it has one. */
export function idempotencyKey(request: FastifyRequest): string | undefined {
  const key = request.headers['idempotency-key']
  if (key === undefined) return undefined
  if (typeof key === 'string' && /^[\x20-\x7e]{1,255}$/.test(key)) return key
  throw badRequest('http.malformed-header', 'Idempotency-Key', 'must be 1 to 255 printable ASCII characters')
}

/** The id of the order that a request is about to place. Without a key: a new one, ordered by time. */
export function newOrderId(key: string | undefined): string {
  return key === undefined ? uuidv7() : uuidv5(key, orderNamespace)
}

/**
 * Executes a command, at most once per key.
 *
 * @param name sets the keys of one kind of request apart from those of another
 * @throws Problem 422 when the key came with other content before
 */
export async function executeOnce<C extends { readonly orderId: string }>(
  app: Application,
  name: string,
  key: string | undefined,
  command: C,
  options: CommandOptions = {},
): Promise<CommandResult<EventsOf<C>>> {
  if (key === undefined) return app.commands.execute(command, options)
  const result = await app.commands.execute(command, {
    ...options,
    commandId: uuidv5(`${name}:${key}`, command.orderId),
  })
  if (result.duplicate && !saysTheSame(command, result.events[0]!)) {
    throw new Problem(
      422,
      'http.idempotency-key-reused',
      `The Idempotency-Key ${JSON.stringify(key)} was used before with other content. Use a new key for a new request.`,
    )
  }
  return result
}

/** The events of an order repeat every field of the command that led to them. */
function saysTheSame(command: object, event: object): boolean {
  const before = asJson(event)
  return Object.entries(asJson(command)).every(([field, value]) => isDeepStrictEqual(value, before[field]))
}

function asJson(value: object): Record<string, unknown> {
  return JSON.parse(JSON.stringify(value)) as Record<string, unknown>
}
