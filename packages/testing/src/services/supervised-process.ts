// One service process under a supervisor that outlives its owner just long enough to clean up (see supervisor.mjs).
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'

// `src` is published beside `dist` and both have the same depth, so one relative path is right from either.
const supervisor = fileURLToPath(new URL('../../src/services/supervisor.mjs', import.meta.url))

/** Where and as whom a service runs. */
export interface SupervisorSettings {
  /** Path of the directory to make for the service; six random characters are added. */
  readonly prefix: string
  /** What ends the service in the quickest way that leaves nothing behind. */
  readonly stopSignal: NodeJS.Signals
  /** Run as this user; needs root. */
  readonly user?: { readonly uid: number; readonly gid: number }
}

/** A program to run in the service's directory. */
export interface Program {
  readonly command: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/** How a program ended. */
export interface ProgramEnd {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** A program that is running. */
export interface RunningProgram {
  readonly pid: number
  /** Settles when it has ended, for whatever reason. */
  readonly ended: Promise<ProgramEnd>
}

interface SupervisorEvent {
  readonly directory?: string
  readonly pid?: number
  readonly exit?: ProgramEnd
  readonly error?: string
}

/** Runs the programs of one service, one at a time, in a directory that goes when the service goes. */
export class SupervisedProcess {
  #process: ChildProcessByStdio<Writable, Readable, null>
  #started: ((event: SupervisorEvent) => void) | undefined
  #ended: ((end: ProgramEnd) => void) | undefined
  #closed: Promise<void>
  #directory = ''

  /** Makes the directory and the supervisor. */
  static async open(settings: SupervisorSettings): Promise<SupervisedProcess> {
    const opened = new SupervisedProcess(settings)
    const event = await opened.#next()
    if (event.directory === undefined) throw new Error(`No directory could be made at ${settings.prefix}*.`)
    opened.#directory = event.directory
    return opened
  }

  private constructor(settings: SupervisorSettings) {
    // A session of its own: Ctrl-C in the terminal must reach the owner, not the service.
    this.#process = spawn(process.execPath, [supervisor, JSON.stringify(settings)], {
      stdio: ['pipe', 'pipe', 'inherit'],
      detached: true,
      env: { ...process.env, NODE_OPTIONS: '' },
    })
    this.#closed = new Promise((resolve) => {
      const over = () => {
        this.#receive({ error: 'The supervisor ended.' })
        resolve()
      }
      this.#process.once('error', over)
      this.#process.once('close', over)
    })
    // A write to a supervisor that has ended is answered by its end, above.
    this.#process.stdin.on('error', () => {})
    createInterface({ input: this.#process.stdout }).on('line', (line) => this.#receive(JSON.parse(line)))
  }

  /** The service's own directory; removed by {@link close}, and when this process ends in any other way. */
  get directory(): string {
    return this.#directory
  }

  /** Runs a program and waits until it has been started. */
  async run(program: Program): Promise<RunningProgram> {
    const ended = new Promise<ProgramEnd>((resolve) => {
      this.#ended = resolve
    })
    this.#send({ run: { ...program, env: program.env ?? {} } })
    const event = await this.#next()
    if (event.pid === undefined) throw new Error(`${program.command} could not be started: ${event.error}`)
    return { pid: event.pid, ended }
  }

  /** Sends a signal to the running program. */
  signal(signal: NodeJS.Signals): void {
    this.#send({ signal })
  }

  /** The last lines the programs wrote, for error messages. */
  outputTail(lines = 20): string {
    const file = join(this.#directory, 'output.log')
    const text = existsSync(file) ? readFileSync(file, 'utf8') : ''
    return text.trimEnd().split('\n').slice(-lines).join('\n')
  }

  /** Lets this process end although the service still runs (it is then stopped), or not. */
  keepAlive(keep: boolean): void {
    const handles = [this.#process, this.#process.stdin, this.#process.stdout] as unknown as Socket[]
    for (const handle of handles) keep ? handle.ref() : handle.unref()
  }

  /** Stops what runs and removes the directory. */
  async close(): Promise<void> {
    this.keepAlive(true)
    this.#process.stdin.end()
    await this.#closed
  }

  #send(command: object): void {
    this.#process.stdin.write(`${JSON.stringify(command)}\n`)
  }

  #next(): Promise<SupervisorEvent> {
    return new Promise((resolve) => {
      this.#started = resolve
    })
  }

  #receive(event: SupervisorEvent): void {
    if (event.exit !== undefined || event.error !== undefined) {
      this.#ended?.(event.exit ?? { code: null, signal: null })
    }
    if (event.exit !== undefined) return
    this.#started?.(event)
    this.#started = undefined
  }
}
