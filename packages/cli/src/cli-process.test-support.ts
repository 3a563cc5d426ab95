// The command as a process, as `pnpm build` built it, in the project under fixtures/shop.
import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const bin = fileURLToPath(new URL('../bin/narrative.js', import.meta.url))
/** The project that tests look into. */
export const shop = fileURLToPath(new URL('../fixtures/shop/', import.meta.url))

/** How a process is started. */
export interface CliOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
}

/** One run of the command. */
export class CliProcess {
  readonly child: ChildProcess
  out = ''
  err = ''
  /** The exit code; null when a signal ended it. */
  readonly ended: Promise<number | null>

  constructor(args: readonly string[], { cwd = shop, env = {} }: CliOptions = {}) {
    const { NO_COLOR: _, FORCE_COLOR: __, ...rest } = process.env
    this.child = spawn(process.execPath, [bin, ...args], { cwd, env: { ...rest, ...env } })
    this.child.stdout?.on('data', (chunk) => {
      this.out += chunk
    })
    this.child.stderr?.on('data', (chunk) => {
      this.err += chunk
    })
    this.ended = new Promise((resolve) => this.child.on('close', resolve))
  }
}

/** Runs the command to its end. */
export async function narrativeProcess(args: readonly string[], options?: CliOptions) {
  const process = new CliProcess(args, options)
  const code = await process.ended
  return { code, out: process.out, err: process.err }
}
