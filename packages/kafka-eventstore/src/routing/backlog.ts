// How much waits here for the owners of partitions elsewhere: a slow one turns callers away instead of filling the memory.
import { NarrativeError } from '@narrative/core'
import type { QueueLimits } from '../append-queue.js'

export class Backlog {
  readonly #limits: QueueLimits
  readonly #waiting = new Map<string, { requests: number; bytes: number }>()

  /** @param limits of each partition, as those of its owner's own queue */
  constructor(limits: QueueLimits) {
    this.#limits = limits
  }

  /**
   * @param name of the partition
   * @returns to be called when the request waits no more
   * @throws NarrativeError `STORE_BUSY`
   */
  enter(name: string, bytes: number): () => void {
    const { maxAppends, maxBytes } = this.#limits
    const row = this.#waiting.get(name) ?? { requests: 0, bytes: 0 }
    if (row.requests >= maxAppends || row.bytes >= maxBytes) {
      throw new NarrativeError('STORE_BUSY', {
        message: `${row.requests} requests (${row.bytes} bytes) already wait for the owner of ${name}: send fewer at a time, or repeat this one later with the same command id.`,
        details: { partition: name, waiting: row.requests, bytes: row.bytes },
      })
    }
    this.#waiting.set(name, row)
    row.requests++
    row.bytes += bytes
    return () => {
      row.bytes -= bytes
      if (--row.requests === 0) this.#waiting.delete(name)
    }
  }
}
