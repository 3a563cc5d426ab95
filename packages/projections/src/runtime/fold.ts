// What a session needs of a fold: which rows some events concern, and what becomes of them.
import type { RecordedEvent } from '@narrative/core'
import type { HandlerDefinition } from '../definition/projection-definition.js'
import type { Attempt } from '../failures/attempt.js'
import type { Conditions } from '../table/condition.js'
import type { Key, Row } from '../table/row.js'
import type { Table } from '../table/table.js'
import type { ChangedRow, RowPlace } from './table-storage.js'

/** What a row is called among all rows of a projection, and among its dead letters: the form that Maps are kept by. */
export type RowName = string | number

/** One event and its handler, ready to be applied. */
export interface Step {
  readonly recorded: RecordedEvent
  readonly handler: HandlerDefinition
  /** Why it cannot be applied, when that is known beforehand. */
  fault: { readonly error: unknown; readonly byStore?: boolean } | undefined
}

/** Events whose rows are known: by key, or by conditions. */
export interface Steps<S extends Step = Step> {
  readonly all: readonly S[]
  readonly rows: ReadonlyMap<RowName, RowPlace>
  readonly conditions: Conditions
}

/** The rows as they are before the events. */
export interface KnownRows {
  readonly byName: ReadonlyMap<RowName, Row | undefined>
  /** Those that meet a condition; they are in `byName`, too. */
  readonly found: readonly ChangedRow[]
}

/** Whether the effects of an event outside the view were had when it was first applied. */
export type IsReplay = (event: RecordedEvent) => boolean

/** The fold of one projection. */
export interface Fold<S extends Step = Step> {
  /** Whether an event is applied to all of its rows or to none. */
  readonly whole: boolean
  nameOf(table: Table, key: Key): RowName
  /**
   * Finds the rows of each event that has a handler; other events are not even decoded.
   * @param only of an event that is not applied as a whole, the rows it is to be applied to
   */
  locate(
    events: readonly RecordedEvent[],
    isReplay: IsReplay,
    only?: (event: RecordedEvent, row: string) => boolean,
  ): Steps<S>
  /** Gives the rows that are different afterwards. What fails, and what has to wait behind it, is left to the attempt. */
  fold(steps: Steps<S>, before: KnownRows, isReplay: IsReplay, attempt: Attempt): Map<RowName, ChangedRow>
  /** Whether a step wrote a row when it was last folded. */
  wrote(step: S, row: RowName): boolean
}
