// One partition of the log as this instance sees it, for people and health checks.

/** How a partition fares at this instance. */
export interface PartitionStatus {
  readonly topic: string
  readonly partition: number
  /**
   * `serving`: owned here. `claiming`: owned here, and being caught up with before it is served. `following`: owned by
   * another instance, and copied here to take it over quickly. `elsewhere`: nothing of it is here. `lost`: given up
   * after a failure. `closed`: it was owned here until this instance was closed.
   */
  readonly state: 'serving' | 'claiming' | 'following' | 'elsewhere' | 'lost' | 'closed'
  /** A sentence, when it is or should be here and something is amiss. */
  readonly reason?: string
  /** The next offset that will be read here. */
  readonly offset: number
  /** Records in the log, as far as is known, that were not read here yet. */
  readonly lag: number
  /** Events found in the log that do not count: written by an instance that had lost the partition. Must stay 0. */
  readonly voids: number
  /** Appends that wait for the next batch. */
  readonly waiting: number
}
