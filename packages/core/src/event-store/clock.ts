/** Tells the time. */
export interface Clock {
  /** Milliseconds since 1970 UTC. */
  now(): number
}

/** The clock of this machine. */
export const systemClock: Clock = { now: () => Date.now() }
