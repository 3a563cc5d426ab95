// How a projection is, in words and numbers.

/** What a projection is doing. */
export interface ProjectionStatus {
  readonly projection: string
  /**
   * `running`: level with the log. `catching-up`: reading what was in the log at the start. `retrying`: something failed, and is tried
   * again after a pause. `standby`: other processes follow all of its partitions. `paused`: until somebody resumes it; or, with a reason, until Postgres is back. `stopped`: it will not go on by itself.
   */
  readonly state: 'running' | 'catching-up' | 'retrying' | 'standby' | 'paused' | 'stopped'
  /** Why it is not getting on. */
  readonly reason: string | undefined
  /** Events among its dead letters. */
  readonly parked: number
  /** How many offsets there are to go to where the log ended at the start. */
  readonly behind: number
  readonly partitions: readonly {
    readonly topic: string
    readonly partition: number
    readonly offset: number
    readonly end: number
    /** Whether this process follows it. */
    readonly here: boolean
  }[]
}
