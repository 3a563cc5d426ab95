// One call of the command: from its arguments to its exit code.
import { isNarrativeError } from '@narrative/core'
import { CommanderError } from 'commander'
import { exitCode } from './exit-code.js'
import { createProgram } from './program.js'
import { Refusal } from './refusal.js'
import type { Surroundings } from './surroundings.js'
import { errorRecord, errorText } from './terminal/error-text.js'
import { paletteOf } from './terminal/paint.js'

/** @returns the exit code; whatever goes wrong was said */
export async function run(args: readonly string[], surroundings: Surroundings): Promise<number> {
  const { signal, stderr } = surroundings
  const program = createProgram(surroundings)
  if (args.length === 0) {
    program.outputHelp()
    return exitCode.done
  }
  try {
    await program.parseAsync(args, { from: 'user' })
    signal.throwIfAborted()
    return exitCode.done
  } catch (error) {
    // Whatever fails after a signal fails because of it, and whoever sent it knows.
    if (signal.aborted) return signal.reason instanceof Refusal ? signal.reason.exitCode : exitCode.interrupted
    // commander has said it already.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.done : exitCode.wrongUsage
    const code = codeOf(error)
    const text = args.includes('--json')
      ? JSON.stringify(errorRecord(error, code))
      : `${paletteOf(stderr).red('narrative:')} ${errorText(error)}`
    stderr.write(`${text}\n`)
    return code
  }
}

function codeOf(error: unknown): number {
  if (error instanceof Refusal) return error.exitCode
  return isNarrativeError(error, 'NOTHING_KEPT') ? exitCode.notFoundOrUnhealthy : exitCode.failed
}
