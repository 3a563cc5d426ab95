import type { Clock } from '@narrative/core'

/** A clock that stands still until it is told otherwise. */
export interface SettableClock extends Clock {
  /** @param instant an ISO 8601 instant, a Date, or milliseconds since 1970 UTC; may lie in the past */
  set(instant: string | Date | number): void
  /** @param milliseconds may be negative */
  advance(milliseconds: number): void
}

/**
 * A clock that shows one instant.
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
  return {
    now: () => time,
    set: (next) => {
      time = millisecondsOf(next)
    },
    advance: (milliseconds) => {
      time += milliseconds
    },
  }
}

function millisecondsOf(instant: string | Date | number): number {
  const time = new Date(instant).getTime()
  if (Number.isNaN(time))
    throw new RangeError(`${JSON.stringify(instant)} is not an instant, such as "2026-01-01T00:00:00Z".`)
  return time
}
