// Runs a short program to its end and gives what it said.
import { execFile } from 'node:child_process'

/** How a program ended; `code` is undefined when it could not be started or was stopped. */
export interface ProgramResult {
  readonly code: number | undefined
  readonly output: string
}

/** Runs a program without a shell; never throws. */
export function runProgram(command: string, args: readonly string[], timeout: number): Promise<ProgramResult> {
  return new Promise((resolve) => {
    execFile(command, args, { timeout, maxBuffer: 1 << 24 }, (error, stdout, stderr) => {
      const output = `${stdout}${stderr}`
      if (error === null) resolve({ code: 0, output })
      else resolve({ code: typeof error.code === 'number' ? error.code : undefined, output: output || error.message })
    })
  })
}
