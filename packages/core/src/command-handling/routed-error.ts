// Errors on their way from the owner of a stream to the caller: they arrive as the types they were.
import { DomainError, isDomainError } from '../errors/domain-error.js'
import { type ErrorCode, errorCodes } from '../errors/error-codes.js'
import { isNarrativeError, NarrativeError } from '../errors/narrative-error.js'
import type { Class } from '../messages/message-class.js'

/** Classes of domain errors by their code. */
export type DomainErrorClasses = Readonly<Record<string, Class<DomainError>>>

/** An error as plain JSON. */
export interface ErrorOnWire {
  readonly kind: 'narrative' | 'domain' | 'other'
  readonly name: string
  readonly message: string
  readonly code?: string
  readonly details?: Readonly<Record<string, unknown>>
  /** Whatever else a domain error holds. */
  readonly fields?: Readonly<Record<string, unknown>>
}

export function errorToWire(error: unknown): ErrorOnWire {
  if (isDomainError(error)) {
    const { code, name, message, details, stack: _stack, cause: _cause, ...fields } = error
    return { kind: 'domain', code, name, message, details: plain(details), fields: plain(fields) }
  }
  if (isNarrativeError(error)) {
    const { code, name, message, details } = error
    return { kind: 'narrative', code, name, message, details: plain(details) }
  }
  if (error instanceof Error) return { kind: 'other', name: error.name, message: error.message }
  return { kind: 'other', name: 'Error', message: String(error) }
}

export function errorFromWire(wire: ErrorOnWire, classes: DomainErrorClasses): Error {
  const { kind, name, message, code = '', details = {} } = wire
  if (kind === 'domain') {
    // Its constructor takes what its author chose: so it is not called, and the fields say what it made of that.
    const error = new DomainError(code, message, details)
    if (Object.hasOwn(classes, code)) Object.setPrototypeOf(error, classes[code]!.prototype as object)
    return Object.assign(error, wire.fields, { name })
  }
  if (kind === 'narrative' && Object.hasOwn(errorCodes, code)) {
    return new NarrativeError(code as ErrorCode, { message, details })
  }
  return Object.assign(new Error(message), { name })
}

/** What JSON can hold of it. */
function plain(facts: object): Record<string, unknown> {
  try {
    return JSON.parse(JSON.stringify(facts)) as Record<string, unknown>
  } catch {
    return {} // a cycle or a bigint: the code and the message must arrive all the same
  }
}
