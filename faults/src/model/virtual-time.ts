// Time that a seed decides: timers, clocks and random numbers of the whole process are taken over while a history plays.
//
// The code under test is not told. It says setTimeout, setImmediate, performance.now, randomUUID; each of its steps is an
// event here, run one at a time with everything that follows from it before the next. So who runs when is this file's
// choice alone, an instance can be paused or killed between any two steps, and ten minutes pass in milliseconds.
import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import timersPromises from 'node:timers/promises'
import type { Random } from '../random.js'

interface Event {
  at: number
  readonly order: number
  readonly owner: string
  run: (() => void) | undefined
}

/** Whoever was asked will never answer. */
export class InstanceDied extends Error {}

/** Far more than a history takes. */
const mostSteps = 100_000

/** What the calendar says when a history begins: milliseconds since 1970 UTC. */
export const epoch = 1_700_000_000_000

const realImmediate = globalThis.setImmediate

export class VirtualTime {
  /** Milliseconds since the history began. */
  now = 0
  /** How many events were run. */
  steps = 0
  readonly #random: Random
  readonly #events: Event[] = [] // a binary heap
  readonly #pausedUntil = new Map<string, number>()
  readonly #dead = new Set<string>()
  readonly #mourners = new Map<string, (() => void)[]>()
  #order = 0
  /** Whose step is being run: what it schedules is its own. */
  #current = 'world'

  constructor(random: Random) {
    this.#random = random
  }

  /** Runs `work` under this time and gives the process its own back. */
  async govern<T>(work: () => Promise<T>): Promise<T> {
    const restore = takeOver(this, this.#random)
    try {
      let outcome: { value: T } | { error: unknown } | undefined
      work().then(
        (value) => {
          outcome = { value }
        },
        (error: unknown) => {
          outcome = { error }
        },
      )
      await settled()
      while (outcome === undefined) {
        if (!this.#step()) throw new Error('Everybody waits and nothing will happen any more.')
        if (this.steps > mostSteps) throw new Error(`The history does not end: ${mostSteps} steps were not enough.`)
        await settled()
      }
      if ('error' in outcome) throw outcome.error
      return outcome.value
    } finally {
      restore()
    }
  }

  /** Runs `run` after so many milliseconds as a step of `owner`. Gives what cancels it. */
  after(milliseconds: number, run: () => void, owner = this.#current): () => void {
    const event = { at: this.now + Math.max(0, milliseconds), order: this.#order++, owner, run }
    this.#push(event)
    return () => {
      ;(event as Event).run = undefined
    }
  }

  sleep(milliseconds: number, owner = this.#current): Promise<void> {
    return new Promise((resolve) => this.after(milliseconds, resolve, owner))
  }

  /** Has `owner` do something; rejects when it dies before it answers. Who asks goes on in a step of their own. */
  ask<T>(owner: string, work: () => Promise<T>): Promise<T> {
    const asking = this.#current
    return new Promise<T>((resolve, reject) => {
      const died = () => void this.after(0, () => reject(new InstanceDied(owner)), asking)
      if (this.#dead.has(owner)) return void died()
      this.onDeath(owner, died)
      const answered = (value: T) => void this.after(0, () => resolve(value), asking)
      const failed = (error: unknown) => void this.after(0, () => reject(error), asking)
      this.after(0, () => void work().then(answered, failed), owner)
    })
  }

  /** `owner` does nothing for a while; then everything that was due, in order. */
  pause(owner: string, milliseconds: number): void {
    this.#pausedUntil.set(owner, Math.max(this.now + milliseconds, this.#pausedUntil.get(owner) ?? 0))
  }

  /** `owner` never does anything again. */
  kill(owner: string): void {
    this.#dead.add(owner)
    for (const mourn of this.#mourners.get(owner) ?? []) mourn()
    this.#mourners.delete(owner)
  }

  isDead(owner: string): boolean {
    return this.#dead.has(owner)
  }

  onDeath(owner: string, mourn: () => void): void {
    const all = this.#mourners.get(owner) ?? []
    all.push(mourn)
    this.#mourners.set(owner, all)
  }

  /** Runs one event; false when there is none. */
  #step(): boolean {
    for (let event = this.#pop(); event !== undefined; event = this.#pop()) {
      if (event.run === undefined || this.#dead.has(event.owner)) continue
      const until = this.#pausedUntil.get(event.owner) ?? 0
      if (until > event.at) {
        event.at = until
        this.#push(event)
        continue
      }
      this.now = Math.max(this.now, event.at)
      this.#current = event.owner
      this.steps++
      event.run()
      return true
    }
    return false
  }

  #before(a: Event, b: Event): boolean {
    return a.at < b.at || (a.at === b.at && a.order < b.order)
  }

  #push(event: Event): void {
    const heap = this.#events
    let at = heap.push(event) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!this.#before(event, heap[parent]!)) break
      heap[at] = heap[parent]!
      at = parent
    }
    heap[at] = event
  }

  #pop(): Event | undefined {
    const heap = this.#events
    const first = heap[0]
    const last = heap.pop()
    if (first === undefined || last === undefined || heap.length === 0) return first
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && this.#before(heap[child + 1]!, heap[child]!)) child++
      if (!this.#before(heap[child]!, last)) break
      heap[at] = heap[child]!
      at = child
    }
    heap[at] = last
    return first
  }
}

/** All that follows from the last step at once: a turn of the real event loop comes after every microtask. */
const settled = () => new Promise<void>((resolve) => realImmediate(resolve))

function takeOver(time: VirtualTime, random: Random): () => void {
  const { setTimeout, clearTimeout, setInterval, clearInterval, setImmediate } = globalThis
  const { now } = Date
  const { randomUUID } = crypto
  const { setTimeout: delay } = timersPromises
  const { random: mathRandom } = Math
  const timer = (run: () => void, milliseconds: number) => {
    const cancel = time.after(milliseconds, run)
    const handle = { cancel, unref: () => handle, ref: () => handle, hasRef: () => true }
    return handle
  }
  globalThis.setTimeout = ((run: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) =>
    timer(() => run(...args), Math.max(1, ms))) as unknown as typeof setTimeout
  globalThis.clearTimeout = ((handle?: { cancel?: () => void }) => handle?.cancel?.()) as typeof clearTimeout
  globalThis.setInterval = ((run: () => void, ms: number) => {
    const handle = timer(again, ms)
    function again(): void {
      handle.cancel = timer(again, ms).cancel
      run()
    }
    return handle
  }) as unknown as typeof setInterval
  globalThis.clearInterval = globalThis.clearTimeout as typeof clearInterval
  globalThis.setImmediate = ((run: (...args: unknown[]) => void, ...args: unknown[]) =>
    timer(() => run(...args), 0)) as unknown as typeof setImmediate
  Object.defineProperty(performance, 'now', { value: () => time.now, configurable: true })
  Date.now = () => Math.floor(epoch + time.now)
  Math.random = () => random.next()
  crypto.randomUUID = () => random.uuid() as ReturnType<typeof randomUUID>
  timersPromises.setTimeout = ((ms = 0, value?: unknown, { signal }: { signal?: AbortSignal } = {}) =>
    new Promise((resolve, reject) => {
      const abort = () => {
        handle.cancel()
        reject(new DOMException('The operation was aborted', 'AbortError'))
      }
      const handle = timer(() => {
        signal?.removeEventListener('abort', abort)
        resolve(value as never)
      }, ms)
      if (signal?.aborted) abort()
      else signal?.addEventListener('abort', abort, { once: true })
    })) as typeof delay
  syncBuiltinESMExports()
  return () => {
    Object.assign(globalThis, { setTimeout, clearTimeout, setInterval, clearInterval, setImmediate })
    Date.now = now
    Reflect.deleteProperty(performance, 'now')
    Math.random = mathRandom
    crypto.randomUUID = randomUUID
    timersPromises.setTimeout = delay
    syncBuiltinESMExports()
  }
}
