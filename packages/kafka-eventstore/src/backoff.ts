// Growing pauses between attempts, cut short when there is no point in waiting any more.
import { setTimeout as delay } from 'node:timers/promises'

export class Backoff {
  readonly #first: number
  readonly #most: number
  #next: number

  /** @param first the first pause in milliseconds; each next one doubles, up to `most` */
  constructor(first: number, most: number) {
    this.#first = first
    this.#most = most
    this.#next = first
  }

  /** Resolves after a pause, at once when `signal` aborts. */
  async pause(signal?: AbortSignal): Promise<void> {
    const pause = this.#next * (0.75 + Math.random() / 2) // so that rivals do not march in step
    this.#next = Math.min(this.#next * 2, this.#most)
    try {
      await delay(pause, undefined, { signal })
    } catch (error) {
      if (!signal?.aborted) throw error // an aborted pause is simply over; the caller looks at its signal
    }
  }

  reset(): void {
    this.#next = this.#first
  }
}
