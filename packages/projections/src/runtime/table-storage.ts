// The port of the rows and checkpoints of a projection's tables, as the folding session needs it: in memory and in Postgres.
import type { Checkpoint } from '@narrative/core'
import type { AskedLetter, DeadLetter, LetterPlace } from '../failures/dead-letter.js'
import type { Lookup } from '../table/condition.js'
import type { Key, Row } from '../table/row.js'
import type { Table } from '../table/table.js'

/** A checkpoint on its way from an offset to another. */
export interface Move {
  readonly from: number
  readonly to: Checkpoint
}

/** Which row. */
export interface RowPlace {
  readonly table: Table
  readonly key: Key
}

/** A row that is no longer what it was; undefined when it is to be deleted. */
export interface ChangedRow extends RowPlace {
  readonly row: Row | undefined
}

/** What is written together or not at all. */
export interface Changes {
  readonly rows: readonly ChangedRow[]
  /** At least one: a move from an offset to itself says whose partition it is. */
  readonly moves: readonly Move[]
  readonly letters: LetterChanges
}

/** Dead letters that come and go. */
export interface LetterChanges {
  readonly settled: readonly LetterPlace[]
  readonly parked: readonly DeadLetter[]
}

/** One generation of a projection's tables, with its checkpoints. */
export interface TableStorage {
  /** One per partition. */
  readonly checkpoints: readonly Checkpoint[]
  /** The dead letters of these partitions. */
  readonly parked: readonly LetterPlace[]
  /** True when no table had rows. */
  readonly empty: boolean
  /** The rows there are of these keys, or of these values of other columns, in any order. */
  load(lookup: Lookup): Promise<readonly Row[]>
  /**
   * Writes rows, letters and checkpoints in one transaction, if the checkpoints are where the moves start and nobody else wrote since.
   * @throws NarrativeError `CHECKPOINT_MOVED`, or a retryable one
   * @throws ViewReplaced, WriteRefused
   */
  commit(changes: Changes): Promise<void>
  /** Tries to write each of these rows by itself, without keeping it; the reasons of those that are refused, by their index. */
  refusals(rows: readonly ChangedRow[]): Promise<ReadonlyMap<number, unknown>>
  /** Letters of these partitions of which something was asked, or any: the first ones, in order. */
  asked(all: boolean): Promise<readonly AskedLetter[]>
}

/** A row as it must be at some checkpoints, and what becomes of its dead letters. */
export interface RowAt {
  readonly row: Row | undefined
  readonly letters: LetterChanges
}
