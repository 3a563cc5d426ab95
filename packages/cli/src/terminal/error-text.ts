// An error as a person at a terminal should read it, or as a program should.
import { isNarrativeError } from '@narrative/core'
import { Refusal } from '../refusal.js'

/** The message of an error that explains itself, with its code; the stack of one that nobody expected. */
export function errorText(error: unknown): string {
  if (error instanceof Refusal) return error.message
  if (isNarrativeError(error)) return `${error.message} (${error.code})`
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

/** The same for programs: one object. */
export function errorRecord(error: unknown, exitCode: number): object {
  const message = error instanceof Error ? error.message : String(error)
  const code = isNarrativeError(error) ? { code: error.code, retryable: error.retryable, details: error.details } : {}
  return { error: { message, exitCode, ...code } }
}
