// The programs of the sample as processes, as `pnpm build` built them.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'

export type Environment = Readonly<Record<string, string>>

/** One running program. */
export class ProcessUnderTest {
  private readonly child: ChildProcess
  out = ''
  err = ''
  /** The exit code. */
  readonly ended: Promise<number | null>

  /** @param program `main`, or `narrative` for the command line on this project */
  constructor(program: string, args: readonly string[], environment: Environment) {
    const { KAFKA_BROKERS: _, DATABASE_URL: __, PORT: ___, ...rest } = process.env
    const file = program === 'narrative' ? 'node_modules/@narrative/cli/bin/narrative.js' : `dist/${program}.js`
    // A directory of its own, which does not outlive it.
    const data = mkdtempSync(join(tmpdir(), 'order-service-'))
    const env = { ...rest, NARRATIVE_DATA: data, ...environment }
    this.child = spawn(process.execPath, [file, ...args], {
      env,
      cwd: fileURLToPath(new URL('../../', import.meta.url)),
    })
    this.child.stdout?.on('data', (chunk) => {
      this.out += chunk
    })
    this.child.stderr?.on('data', (chunk) => {
      this.err += chunk
    })
    this.ended = new Promise((resolve) => {
      this.child.on('close', (code) => {
        rmSync(data, { recursive: true, force: true })
        resolve(code)
      })
    })
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal)
  }

  /** Where the service listens, once it does. */
  async url(): Promise<string> {
    await expect
      .poll(() => this.out + this.err, { timeout: 60_000 })
      .toMatch(/Server listening at http:\/\/127|cannot start/)
    return /Server listening at (http:\/\/127[^"]+)/.exec(this.out)![1]!
  }
}
