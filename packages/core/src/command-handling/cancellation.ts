// The two ways a caller stops waiting: a deadline and an abort signal.

import { NarrativeError } from '../errors/narrative-error.js'
import type { Clock } from '../event-store/clock.js'

/** Watches over one command until its events are on their way into the store. */
export class Cancellation {
  private own: AbortSignal | undefined

  constructor(
    private readonly command: string,
    private readonly clock: Clock,
    /** Milliseconds since 1970 UTC. */
    private readonly deadline: number | undefined,
    private readonly callerSignal: AbortSignal | undefined,
  ) {}

  /** Made only when a handler asks for it. */
  get signal(): AbortSignal {
    if (this.own === undefined) {
      const signals = [
        ...(this.callerSignal === undefined ? [] : [this.callerSignal]),
        ...(this.deadline === undefined ? [] : [this.timeout(Math.max(0, this.deadline - this.clock.now()))]),
      ]
      this.own = signals.length === 1 ? signals[0]! : AbortSignal.any(signals)
    }
    return this.own
  }

  /** @throws NarrativeError `COMMAND_EXPIRED` or `COMMAND_ABORTED` */
  check(): void {
    if (this.callerSignal?.aborted) throw this.aborted()
    if (this.deadline !== undefined && this.clock.now() >= this.deadline) throw this.expired()
  }

  /** Waits for a handler, but no longer than the caller does. A handler that loses the race has its decision dropped. */
  async guard<T>(pending: Promise<T>): Promise<T> {
    if (this.deadline === undefined && this.callerSignal === undefined) return pending
    const { signal } = this
    let stop: (() => void) | undefined
    const given = new Promise<never>((_, reject) => {
      stop = () => reject(this.callerSignal?.aborted ? this.aborted() : this.expired())
      if (signal.aborted) stop()
      else signal.addEventListener('abort', stop, { once: true })
    })
    try {
      return await Promise.race([pending, given])
    } finally {
      signal.removeEventListener('abort', stop!)
    }
  }

  private timeout(milliseconds: number): AbortSignal {
    return this.clock.timeout?.(milliseconds) ?? AbortSignal.timeout(milliseconds)
  }

  private expired(): NarrativeError {
    return new NarrativeError('COMMAND_EXPIRED', {
      message: `The deadline of command ${this.command} (${new Date(this.deadline!).toISOString()}) passed before it was carried out; nothing was appended.`,
      details: { command: this.command, deadline: this.deadline },
    })
  }

  private aborted(): NarrativeError {
    return new NarrativeError('COMMAND_ABORTED', {
      message: `The caller aborted command ${this.command} before it was carried out; nothing was appended.`,
      details: { command: this.command },
      cause: this.callerSignal?.reason,
    })
  }
}
