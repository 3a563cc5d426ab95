/** Tells the time. */
export interface Clock {
  /** Milliseconds since 1970 UTC. */
  now(): number
  /**
   * Aborts when so many milliseconds have passed on this clock: deadlines of commands and the pauses before a projection tries again
   * wait for that. Without it they pass in real time.
   */
  timeout?(milliseconds: number): AbortSignal
}

/** The clock of this machine. */
export const systemClock: Clock = { now: () => Date.now() }
