// One try at a batch: which events failed, which wait behind them, and how often to try again.
import { isNarrativeError, type RecordedEvent } from '@narrative/core'
import type { BoundProjection } from '../definition/bind-projection.js'
import type { FailurePolicy } from '../definition/failure-policy.js'
import type { HandlerDefinition } from '../definition/projection-definition.js'
import { reasonOf } from '../runtime/stopped.js'
import type { DeadLetter } from './dead-letter.js'
import type { ParkedEvents } from './parked-events.js'

/** An event that failed in this try. */
export interface FailedEvent {
  readonly event: RecordedEvent
  readonly key: string
  readonly handler: HandlerDefinition | undefined
  readonly error: unknown
}

export class Attempt {
  readonly failed: FailedEvent[] = []
  private readonly waiting: { readonly event: RecordedEvent; readonly key: string }[] = []
  private readonly held = new Set<string>()

  constructor(
    /** As it was before. */
    readonly parked: ParkedEvents,
    private readonly projection: Pick<BoundProjection, 'onFailure' | 'clock'>,
  ) {}

  /** Whether every event was applied. */
  get complete(): boolean {
    return this.failed.length === 0 && this.waiting.length === 0
  }

  /** Says that an event has to wait behind an earlier one, and remembers that it does; then it must not be applied. */
  defers(event: RecordedEvent, key: string): boolean {
    const waits = this.holds(event, key)
    if (waits) this.defer(event, key)
    return waits
  }

  /** Whether an event has to wait behind an earlier one of this key. */
  holds(event: RecordedEvent, key: string): boolean {
    if (this.held.size === 0 && !this.parked.holds(event, key)) return false
    return (
      (this.projection.onFailure.action === 'stop' && this.failed.length > 0) ||
      this.held.has(key) ||
      this.held.has(event.streamId) ||
      this.parked.holds(event, key)
    )
  }

  /** Remembers that an event waits. */
  defer(event: RecordedEvent, key: string): void {
    this.held.add(key)
    this.waiting.push({ event, key })
  }

  fail(failed: FailedEvent): void {
    this.held.add(failed.key)
    this.failed.push(failed)
  }

  /** What is left to do with the events that were not applied. */
  letters(attempts: number, isReplay: (event: RecordedEvent) => boolean): DeadLetter[] {
    const parkedAt = this.projection.clock.now()
    const letter = (event: RecordedEvent, key: string) => ({
      ...event.position,
      ...{ key, event, parkedAt, isReplay: isReplay(event) },
    })
    const failed = this.failed.map(({ event, key, handler, error }) => {
      const code = (error as { code?: unknown } | undefined)?.code
      const failure = {
        code: code === undefined ? undefined : String(code),
        message: reasonOf(error),
        handler: handler?.name,
      }
      return { ...letter(event, key), attempts, failure }
    })
    return [
      ...failed,
      ...this.waiting.map(({ event, key }) => ({ ...letter(event, key), attempts: 0, failure: undefined })),
    ]
  }
}

/**
 * Tries until every event is applied or the policy has had enough.
 * @param pause waits between two tries; resolves to false when there is no time for another one
 */
export async function tryOften<T extends { readonly attempt: Attempt }>(
  policy: FailurePolicy,
  pause: (error: unknown, tried: number) => Promise<boolean>,
  work: (tried: number) => T | Promise<T>,
): Promise<{ readonly result: T; readonly tried: number }> {
  for (let tried = 1; ; tried++) {
    const result = await work(tried)
    if (isLastTry(policy, result.attempt, tried)) return { result, tried }
    if (!(await pause(result.attempt.failed[0]!.error, tried))) return { result, tried }
  }
}

/** Whether there is no use in another try. */
export function isLastTry({ retries }: FailurePolicy, { failed }: Attempt, tried: number): boolean {
  return tried > retries || failed.every(({ error }) => isPoison(error))
}

/** What cannot be decoded today cannot be decoded in a second. */
function isPoison(error: unknown): boolean {
  const poison = ['EVENT_UNDECODABLE', 'EVENT_UNKNOWN', 'LOG_CORRUPT'] as const
  return poison.some((code) => isNarrativeError(error, code))
}
