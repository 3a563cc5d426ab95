// A service instance as its clients and its tormentors see it: a process to ask, to freeze and to kill.
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { AppendOutcome, ReadOperation } from '../checker/history.js'
import type { AppendRequest, InstanceAnswer, InstanceSettings } from './instance-messages.js'

const program = fileURLToPath(new URL('./instance.js', import.meta.url))
type Answer = Exclude<InstanceAnswer, { ready: true }>

export class Service {
  readonly #settings: InstanceSettings
  readonly #waiting = new Map<number, (answer: Answer | undefined) => void>()
  #process: ChildProcess | undefined
  #next = 0
  ready = false

  constructor(settings: InstanceSettings) {
    this.#settings = settings
  }

  get name(): string {
    return this.#settings.name
  }

  start(): void {
    const started = fork(program, [JSON.stringify(this.#settings)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    this.#process = started
    started.on('message', (answer: InstanceAnswer) => {
      if ('ready' in answer) this.ready = true
      else this.#settle(answer.id, answer)
    })
    started.on('exit', () => {
      if (this.#process !== started) return
      this.ready = false
      this.#process = undefined
      for (const id of [...this.#waiting.keys()]) this.#settle(id, undefined)
    })
  }

  signal(signal: NodeJS.Signals): void {
    this.#process?.kill(signal)
  }

  get running(): boolean {
    return this.#process !== undefined
  }

  /** Also says whether it answered at all. */
  async append(request: AppendRequest): Promise<{ outcome: AppendOutcome; answered: boolean }> {
    const answer = await this.#ask({ append: request })
    if (answer === undefined) return { outcome: { told: 'unknown', code: 'DIED' }, answered: false }
    if ('result' in answer) {
      const { outcome: told, ...rest } = answer.result
      return { outcome: { told, ...rest } as AppendOutcome, answered: true }
    }
    const code = 'code' in answer ? answer.code : 'NO_RESULT'
    return { outcome: { told: code === 'OUTCOME_UNKNOWN' ? 'unknown' : 'refused', code }, answered: true }
  }

  async read(streamId: string): Promise<ReadOperation['outcome']> {
    const answer = await this.#ask({ read: streamId })
    if (answer !== undefined && 'read' in answer) return { told: 'events', eventIds: answer.read }
    return { told: 'failed', code: answer !== undefined && 'code' in answer ? answer.code : 'DIED' }
  }

  #ask(request: { append: AppendRequest } | { read: string }): Promise<Answer | undefined> {
    return new Promise((resolve) => {
      if (this.#process === undefined) return void resolve(undefined)
      const id = this.#next++
      this.#waiting.set(id, resolve)
      this.#process.send({ id, ...request }, (error) => {
        if (error !== null) this.#settle(id, undefined)
      })
    })
  }

  #settle(id: number, answer: Answer | undefined): void {
    const resolve = this.#waiting.get(id)
    this.#waiting.delete(id)
    resolve?.(answer)
  }
}
