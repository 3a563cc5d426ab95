// The command in this process, on a configuration that is at hand: as fast as tests should be.
import { Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { Config } from './configuration/define-config.js'
import { run } from './run.js'
import type { Surroundings } from './surroundings.js'

class Captured extends Writable {
  text = ''
  readonly isTTY = false
  readonly columns = 100

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.text += chunk
    done()
  }
}

/** A terminal that remembers, and nobody who interrupts. */
export function surroundings(config?: Config): Surroundings & { readonly out: string; readonly err: string } {
  const [stdout, stderr] = [new Captured(), new Captured()]
  return {
    ...{ stdout: stdout as never, stderr: stderr as never, signal: new AbortController().signal },
    async loadConfig() {
      if (config === undefined) throw new Error('This test has no configuration.')
      return { config, file: fileURLToPath(new URL('../fixtures/shop/narrative.config.ts', import.meta.url)) }
    },
    get out() {
      return stdout.text
    },
    get err() {
      return stderr.text
    },
  }
}

/** What a run came to. */
export interface Ended {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** Runs the command to its end. */
export async function narrative(args: readonly string[], config?: Config): Promise<Ended> {
  const inside = surroundings(config)
  const code = await run(args, inside)
  return { code, out: inside.out, err: inside.err }
}

/** What was printed with --json: an object each line. */
export function recordsIn({ out }: Pick<Ended, 'out'>): any[] {
  return out
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
}
