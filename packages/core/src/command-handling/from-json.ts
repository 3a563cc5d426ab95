// From untrusted JSON to a command object, at the edge.
import { type ClassConstructor, plainToInstance } from 'class-transformer'
import { NarrativeError } from '../errors/narrative-error.js'
import type { Class } from '../messages/message-class.js'

/**
 * Makes a message of a class out of parsed JSON, nested `@Type` classes included. Nothing is judged here:
 * unknown fields stay in, and the command bus lists them among the violations.
 *
 * @param json any parsed JSON value
 * @throws NarrativeError `COMMAND_INVALID` when it is not an object
 * @example
 * ```ts
 * await app.commands.execute(fromJson(PlaceOrder, request.body))
 * ```
 */
export function fromJson<T extends object>(messageClass: Class<T>, json: unknown): T {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new NarrativeError('COMMAND_INVALID', {
      message: `A JSON object is needed, but got ${Array.isArray(json) ? 'an array' : json === null ? 'null' : `a ${typeof json}`}.`,
      details: { violations: [{ path: '', message: 'must be a JSON object' }] },
    })
  }
  return plainToInstance(messageClass as unknown as ClassConstructor<T>, json)
}
