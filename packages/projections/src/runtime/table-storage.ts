// The port of a table's rows and checkpoints, as the folding session needs it: in memory and in Postgres.
import type { Checkpoint } from '@narrative/core'
import type { Key, Row } from '../table/row.js'

/** A checkpoint on its way from an offset to another. */
export interface Move {
  readonly from: number
  readonly to: Checkpoint
}

/** What is written together or not at all. */
export interface Changes {
  readonly upserts: readonly Row[]
  readonly deletes: readonly Key[]
  readonly moves: readonly Move[]
}

/** One generation of a table, with its checkpoints. */
export interface TableStorage {
  /** One per partition. */
  readonly checkpoints: readonly Checkpoint[]
  /** True when the table had no rows. */
  readonly empty: boolean
  /** The rows there are of these keys, in any order. */
  load(keys: readonly Key[]): Promise<readonly Row[]>
  /**
   * Writes rows and checkpoints in one transaction, if the checkpoints are where the moves start.
   * @throws NarrativeError `CHECKPOINT_MOVED`, a retryable one, or `PROJECTION_STOPPED`
   * @throws ViewReplaced
   */
  commit(changes: Changes): Promise<void>
}
