// A process of the service as its clients, its supervisor and its tormentors see it: asked, started again, frozen, killed.
import { type ChildProcess, fork } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type {
  FromInstance,
  InstanceAnswer,
  InstanceHarm,
  InstanceRequest,
  InstanceSettings,
} from './instance-messages.js'
import { pause } from './pause.js'
import { Turns } from './turns.js'

const program = fileURLToPath(new URL('./instance.js', import.meta.url))

export class Service {
  readonly settings: InstanceSettings
  /** Of what needs it down, or starts it again. */
  readonly turns = new Turns()
  readonly #log: string
  readonly #waiting = new Map<number, (answer: InstanceAnswer | undefined) => void>()
  #process: ChildProcess | undefined
  #next = 0
  #heldDown = true
  #ready = false
  #suspectUntil = 0
  #lastReady = performance.now()

  /** Its output is added to the file `log`. */
  constructor(settings: InstanceSettings, log: string) {
    this.settings = settings
    this.#log = log
  }

  get name(): string {
    return this.settings.name
  }

  get ready(): boolean {
    return this.#ready
  }

  /** For how long it has not been ready, milliseconds. */
  get notReadyFor(): number {
    return this.#ready ? 0 : performance.now() - this.#lastReady
  }

  /** Whether a balancer would send somebody there. */
  get trusted(): boolean {
    return this.#ready && performance.now() > this.#suspectUntil
  }

  /** As a balancer does with who did not answer. */
  suspect(): void {
    this.#suspectUntil = performance.now() + 2_000
  }

  start(): void {
    this.#heldDown = false
    if (this.#process !== undefined) return
    const log = openSync(this.#log, 'a')
    const started = fork(program, [JSON.stringify(this.settings)], { stdio: ['ignore', log, log, 'ipc'] })
    closeSync(log)
    this.#process = started
    started.on('message', (message: FromInstance) => {
      if ('ready' in message) this.#ready = true
      else this.#settle(message.id, message.answer)
    })
    started.on('error', () => {}) // a message to one that is dying
    started.on('exit', () => {
      if (this.#ready) this.#lastReady = performance.now()
      this.#ready = false
      this.#process = undefined
      for (const id of [...this.#waiting.keys()]) this.#settle(id, undefined)
      // What ends by itself, its supervisor starts again.
      if (!this.#heldDown) void pause(300).then(() => this.#heldDown || this.start())
    })
  }

  signal(signal: NodeJS.Signals): void {
    this.#process?.kill(signal)
  }

  /** Ends it and keeps it down until it is started; resolves when it is gone. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.holdDown()
    this.signal(signal)
    this.signal('SIGCONT')
    await this.gone()
  }

  /** It is not started again when it ends. */
  holdDown(): void {
    this.#heldDown = true
  }

  async gone(): Promise<void> {
    while (this.#process !== undefined) await pause(5)
  }

  harm(harm: InstanceHarm): void {
    this.#process?.send({ harm }, () => {})
  }

  /** Undefined when it died, or did not answer in time. */
  ask(request: InstanceRequest, patience: number): Promise<InstanceAnswer | undefined> {
    return new Promise((resolve) => {
      if (this.#process === undefined) return void resolve(undefined)
      const id = this.#next++
      const timer = setTimeout(() => {
        this.suspect()
        this.#settle(id, undefined)
      }, patience)
      this.#waiting.set(id, (answer) => {
        clearTimeout(timer)
        resolve(answer)
      })
      this.#process.send({ id, ...request }, (error) => {
        if (error !== null) this.#settle(id, undefined)
      })
    })
  }

  #settle(id: number, answer: InstanceAnswer | undefined): void {
    const resolve = this.#waiting.get(id)
    this.#waiting.delete(id)
    resolve?.(answer)
  }
}
