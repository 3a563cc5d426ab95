// The one error class of the framework, recognised by a brand so that two copies of this package agree.
import { type ErrorCode, errorCodes } from './error-codes.js'

const brand = Symbol.for('narrative.error')

/** What an error is made of. */
export interface ErrorFields<Details> {
  /** What happened, to which thing, and what to do. */
  readonly message: string
  /** The facts behind the message, for programs. Plain JSON values. */
  readonly details?: Details
  readonly cause?: unknown
}

/**
 * Every error that Narrative itself raises. A user's own errors are never wrapped in it.
 *
 * @example
 * ```ts
 * try { await app.commands.execute(command) } catch (error) {
 *   if (isNarrativeError(error, 'VERSION_CONFLICT')) return reply.code(412).send()
 *   throw error
 * }
 * ```
 */
export class NarrativeError<
  Code extends ErrorCode = ErrorCode,
  Details = Readonly<Record<string, unknown>>,
> extends Error {
  readonly code: Code
  /** Whether the same call, with the same command id, may succeed later. */
  readonly retryable: boolean
  readonly details: Details

  constructor(code: Code, fields: ErrorFields<Details>) {
    super(fields.message, fields.cause === undefined ? undefined : { cause: fields.cause })
    this.name = 'NarrativeError'
    this.code = code
    this.retryable = errorCodes[code].retryable
    this.details = fields.details ?? ({} as Details)
    Object.defineProperty(this, brand, { value: true })
  }

  override toString(): string {
    return `${this.name} [${this.code}]: ${this.message}`
  }
}

/** True for an error raised by any copy of Narrative, of the given code when one is given. */
export function isNarrativeError<Code extends ErrorCode>(error: unknown, code?: Code): error is NarrativeError<Code> {
  if (typeof error !== 'object' || error === null || !(brand in error)) return false
  return code === undefined || (error as { code?: unknown }).code === code
}
