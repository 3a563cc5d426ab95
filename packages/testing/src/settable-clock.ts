import type { Clock } from '@narrative/core'

/** A clock that stands still until it is told otherwise. */
export interface SettableClock extends Clock {
  /** @param instant an ISO 8601 instant, a Date, or milliseconds since 1970 UTC; may lie in the past */
  set(instant: string | Date | number): void
  /** @param milliseconds may be negative */
  advance(milliseconds: number): void
  /** Aborts when the clock is moved that far: whoever waits by it waits for the test. */
  timeout(milliseconds: number): AbortSignal
}

/**
 * A clock that shows one instant. Given to an application, it decides on the times of events, on deadlines of commands, and on when a
 * projection tries again what failed.
 *
 * @param instant an ISO 8601 instant, a Date, or milliseconds since 1970 UTC
 * @throws RangeError when that is no instant
 * @example
 * ```ts
 * const clock = at('2026-01-01T00:00:00Z')
 * clock.advance(60_000)
 * ```
 */
export function at(instant: string | Date | number): SettableClock {
  let time = millisecondsOf(instant)
  const waiting = new Map<AbortController, number>()
  const move = (next: number) => {
    time = next
    for (const [controller, due] of waiting) if (due <= time) waiting.delete(controller) && controller.abort(timedOut())
  }
  return {
    now: () => time,
    set: (next) => move(millisecondsOf(next)),
    advance: (milliseconds) => move(time + milliseconds),
    timeout(milliseconds) {
      const controller = new AbortController()
      waiting.set(controller, time + milliseconds)
      move(time)
      return controller.signal
    },
  }
}

/** As `AbortSignal.timeout` gives it. */
function timedOut(): DOMException {
  return new DOMException('The clock was moved past the timeout.', 'TimeoutError')
}

function millisecondsOf(instant: string | Date | number): number {
  const time = new Date(instant).getTime()
  if (Number.isNaN(time))
    throw new RangeError(`${JSON.stringify(instant)} is not an instant, such as "2026-01-01T00:00:00Z".`)
  return time
}
