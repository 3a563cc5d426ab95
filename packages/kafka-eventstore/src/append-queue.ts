// The appends that wait for the next batch of a partition. While one batch flies, the next one fills here (group commit).
import { NarrativeError } from '@narrative/core'
import { assembleBatch, type BatchLimits, type DraftBatch } from './batch-assembly.js'
import type { PendingAppend } from './pending-append.js'
import type { Replica } from './replica/replica.js'

/** Bounds of a queue, so that a slow broker makes callers wait or turn away instead of filling the memory. */
export interface QueueLimits {
  readonly maxAppends: number
  readonly maxBytes: number
}

export class AppendQueue {
  readonly #name: string
  readonly #limits: QueueLimits
  #waiting: PendingAppend[] = []
  #bytes = 0
  #wake: (() => void) | undefined
  /** Woken while nobody waited: who comes to wait next does not. Else what was to be looked at would be slept over. */
  #woken = false

  constructor(name: string, limits: QueueLimits) {
    this.#name = name
    this.#limits = limits
  }

  get length(): number {
    return this.#waiting.length
  }

  /** The one whose caller stops waiting first. */
  get oldest(): PendingAppend | undefined {
    return this.#waiting[0]
  }

  /** @throws NarrativeError `STORE_BUSY` */
  add(append: PendingAppend): void {
    const { maxAppends, maxBytes } = this.#limits
    if (this.#waiting.length >= maxAppends || this.#bytes >= maxBytes) {
      throw new NarrativeError('STORE_BUSY', {
        message: `${this.#waiting.length} appends (${this.#bytes} bytes) already wait for ${this.#name}: send fewer at a time, or repeat this one later with the same command id.`,
        details: { partition: this.#name, waiting: this.#waiting.length, bytes: this.#bytes },
      })
    }
    this.#waiting.push(append)
    this.#bytes += sizeOf(append)
    this.wake()
  }

  /** Puts appends back in front, in the order they had. */
  putBack(appends: readonly PendingAppend[]): void {
    this.#waiting = [...appends, ...this.#waiting]
    for (const append of appends) this.#bytes += sizeOf(append)
  }

  /**
   * The next batch. Conflicts, known commands and appends too large for any batch are answered on the way.
   * @returns undefined when nothing is left to be written
   */
  take(replica: Replica, claim: string, source: string, time: number, limits: BatchLimits): DraftBatch | undefined {
    const waiting = this.#waiting.filter((append) => !append.settled)
    const { batch, left } = assembleBatch(waiting, replica, claim, source, time, limits)
    this.#waiting = left
    this.#bytes = left.reduce((sum, append) => sum + sizeOf(append), 0)
    return batch
  }

  /** Fails those whose time is over; they were not sent. */
  expire(now: number, error: (append: PendingAppend) => unknown): void {
    this.#waiting = this.#waiting.filter((append) => {
      if (append.settled || append.deadline > now) return !append.settled
      append.reject(error(append))
      this.#bytes -= sizeOf(append)
      return false
    })
    if (this.#waiting.length === 0) this.wake()
  }

  /** Fails everything that waits. */
  fail(error: unknown): void {
    const waiting = this.#waiting
    this.#waiting = []
    this.#bytes = 0
    for (const append of waiting) if (!append.settled) append.reject(error)
  }

  /** Resolves when something waits, when somebody calls or has called {@link AppendQueue.wake}, or after `timeout` milliseconds. */
  async work(timeout: number): Promise<void> {
    if (this.#waiting.length === 0 && !this.#woken) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, timeout)
        timer.unref()
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
      this.#wake = undefined
    }
    this.#woken = false
    // One turn of the event loop: callers just answered come back at once, and all of them join the same batch.
    await new Promise<void>((resolve) => setImmediate(resolve))
  }

  wake(): void {
    if (this.#wake === undefined) this.#woken = true
    else this.#wake()
  }
}

/** Bytes of data, the part that callers decide. */
function sizeOf(append: PendingAppend): number {
  let size = 0
  for (const event of append.events) size += event.data.length
  return size
}
