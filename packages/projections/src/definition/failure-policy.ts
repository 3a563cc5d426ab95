// What a projection does with an event that it cannot apply.

/** What becomes of an event that a projection cannot apply. */
export interface FailurePolicy {
  /**
   * How often it is tried again, after 100 ms, 200 ms, 400 ms and so on. Events that cannot be decoded are not: bytes do not change.
   * Default 3.
   */
  readonly retries: number
  /**
   * `park`: the event, and every later one of its key, goes to the dead letters, in order; all other keys go on.
   * `stop`: the projection stops, and goes on with this very event when it is started again. Default `park`.
   */
  readonly action: 'park' | 'stop'
}

/** Fills in what was not said. */
export function failurePolicy({ retries = 3, action = 'park' }: Partial<FailurePolicy> = {}): FailurePolicy {
  return { retries, action }
}
