// One for all who work with the same store: when it is away they pause together, one probe looks for it, and they go on together.
import { setTimeout as delay } from 'node:timers/promises'
import { Backoff } from './backoff.js'

/** What a breaker is made of. */
export interface CircuitBreakerOptions {
  /** Whether the store works; rejects with the reason when it does not. */
  probe(): Promise<void>
  /** Told when it opens, with the reason, and when it closes. */
  turned(away: Error | undefined): void
}

export class CircuitBreaker {
  private away: Error | undefined
  private looking: Promise<boolean> | undefined
  private readonly ending = new AbortController()

  constructor(private readonly options: CircuitBreakerOptions) {}

  /** Why nobody has to try; undefined while the store is there, as far as anybody knows. */
  get open(): Error | undefined {
    return this.away
  }

  /**
   * Something failed, and the store may be the reason: finds out, and waits until it is there.
   * @returns false when it was there all the time, or `signal` aborted
   */
  async untilThere(signal?: AbortSignal): Promise<boolean> {
    this.looking ??= this.look().finally(() => {
      this.looking = undefined
    })
    if (signal === undefined) return this.looking
    const aborted = new AbortController()
    const given = delay(forEver, false, { signal: AbortSignal.any([signal, aborted.signal]) }).catch(() => false)
    return Promise.race([this.looking, given]).finally(() => aborted.abort())
  }

  /** Nobody needs the store any more. */
  end(): void {
    this.ending.abort()
  }

  private async look(): Promise<boolean> {
    const { signal } = this.ending
    const backoff = new Backoff()
    let wasAway = false
    while (!signal.aborted) {
      try {
        await this.options.probe()
        this.turn(undefined)
        return wasAway
      } catch (error) {
        wasAway = true
        this.turn(error as Error)
      }
      // An end cuts the pause short; the loop then sees it.
      await delay(backoff.next(), undefined, { signal }).catch(() => {})
    }
    return wasAway
  }

  private turn(away: Error | undefined): void {
    const isNews = (away === undefined) !== (this.away === undefined)
    this.away = away
    if (isNews) this.options.turned(away)
  }
}

/** The longest that a timer can take. */
const forEver = 2 ** 31 - 1
