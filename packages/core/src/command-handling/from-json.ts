// From untrusted JSON to a command object, at the edge.
import { type ClassConstructor, plainToInstance } from 'class-transformer'
import type { Class, Fields } from '../messages/message-class.js'
import { commandInvalid, type Violation } from './command-validator.js'

/** No command comes near it; JSON that is nested without end would exhaust the stack of whoever walks through it. */
const deepest = 32

/** What cannot be seen on a command any more, for the command bus to report with the rest. */
const lost = new WeakMap<object, readonly Violation[]>()

/**
 * Makes a message of a class out of parsed JSON, nested `@Type` classes included. Nothing is judged here:
 * unknown fields stay in, and the command bus lists them among the violations.
 *
 * @param json any parsed JSON value
 * @param given fields that come from elsewhere (the path, a new id); JSON that brings one of them has an unknown field
 * @throws NarrativeError `COMMAND_INVALID` when it is not an object, or is nested more than 32 levels deep
 * @example
 * ```ts
 * await app.commands.execute(fromJson(CancelOrder, request.body, { orderId: request.params.orderId }))
 * ```
 */
export function fromJson<T extends object>(messageClass: Class<T>, json: unknown, given: Partial<Fields<T>> = {}): T {
  const fault = faultOf(json)
  if (fault !== undefined) throw commandInvalid(messageClass.name, [{ path: '', message: fault }])
  const message = plainToInstance(messageClass as unknown as ClassConstructor<T>, json)
  const violations = [
    ...findLost(json as object, message, ''),
    ...Object.keys(given)
      .filter((field) => Object.hasOwn(json as object, field))
      .map((field) => unwanted(field)),
  ]
  if (violations.length > 0) lost.set(message, violations)
  return Object.assign(message, given)
}

/** The violations that {@link fromJson} found in the JSON of a command. */
export function violationsInJson(command: object): readonly Violation[] {
  return lost.get(command) ?? []
}

function faultOf(json: unknown): string | undefined {
  if (json === undefined || json === null) return `must be a JSON object, not ${json}`
  if (Array.isArray(json)) return 'must be a JSON object, not an array'
  if (typeof json !== 'object') return `must be a JSON object, not a ${typeof json}`
  return isDeeper(json, deepest) ? `must not be nested deeper than ${deepest} levels` : undefined
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1))
}

/** class-transformer leaves out fields that are called like a method (`toString`): nobody would see them. */
function findLost(json: object, made: object, path: string): Violation[] {
  return Object.entries(json).flatMap(([field, value]) => {
    const inner = Array.isArray(json) ? `${path}[${field}]` : path === '' ? field : `${path}.${field}`
    if (!Object.hasOwn(made, field)) return field in made ? [unwanted(field, inner)] : []
    const counterpart = (made as Record<string, unknown>)[field]
    return isObject(value) && isObject(counterpart) ? findLost(value, counterpart, inner) : []
  })
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

/** In the words that class-validator has for it. */
function unwanted(field: string, path = field): Violation {
  return { path, message: `property ${field} should not exist`, rule: 'whitelistValidation' }
}
