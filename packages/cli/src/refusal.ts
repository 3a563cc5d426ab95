// Why the command will not go on: a sentence for a person, and the exit code for a script.
import { type ExitCode, exitCode } from './exit-code.js'

/** Ends the command. The message says what, where, and what to do. */
export class Refusal extends Error {
  constructor(
    readonly exitCode: ExitCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}

/** The command was called or configured in a way it cannot work with. */
export const wrongUsage = (message: string, cause?: unknown): Refusal =>
  new Refusal(exitCode.wrongUsage, message, { cause })

/** What was asked for does not exist. */
export const notFound = (message: string): Refusal => new Refusal(exitCode.notFoundOrUnhealthy, message)
