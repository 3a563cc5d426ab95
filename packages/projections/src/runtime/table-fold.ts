// The fold of a projection with one table: a handler folds one row, and an event that concerns several is applied to each by itself.
import { aggregateIdOf, type RecordedEvent } from '@narrative/core'
import type { BoundProjection } from '../definition/bind-projection.js'
import { EventView } from '../definition/projection-context.js'
import { assertReadable } from '../definition/unreadable-event.js'
import type { Attempt } from '../failures/attempt.js'
import { Conditions } from '../table/condition.js'
import { type Key, keyOf, keyText, type Row, RowRefused, sameRow, toKey, toRow } from '../table/row.js'
import type { Table } from '../table/table.js'
import type { Fold, IsReplay, KnownRows, RowName, Step, Steps } from './fold.js'
import type { ChangedRow, RowPlace } from './table-storage.js'

/** One event and the row it concerns. */
export interface RowStep extends Step {
  /** The key as the projection, or the stream, names it. */
  readonly given: unknown
  /** The stream id when the key could not be told. */
  readonly text: RowName
  /** Decoded already when its key had to be asked for. */
  readonly event: object | undefined
}

const noConditions = new Conditions()

export class TableFold implements Fold<RowStep> {
  readonly whole = false
  private readonly instance: unknown

  constructor(
    private readonly projection: BoundProjection,
    private readonly table: Table,
  ) {
    this.instance = projection.instance()
  }

  nameOf(_table: Table, key: Key): RowName {
    return keyText(key)
  }

  wrote(step: RowStep, row: RowName): boolean {
    return step.text === row
  }

  locate(
    events: readonly RecordedEvent[],
    isReplay: IsReplay,
    only?: (event: RecordedEvent, text: string) => boolean,
  ): Steps<RowStep> {
    const all: RowStep[] = []
    const rows = new Map<RowName, RowPlace>()
    const { key: keyFor } = this.projection.definition
    for (const recorded of events) {
      const handler = this.projection.handlers.get(recorded.type)
      if (handler === undefined) continue
      try {
        assertReadable(recorded)
        const event = keyFor && this.projection.decode(recorded)
        const given =
          keyFor === undefined
            ? aggregateIdOf(recorded.streamId)
            : keyFor(event, new EventView(recorded, isReplay(recorded)))
        if (!Array.isArray(given)) {
          all.push({ recorded, handler, event, given, text: this.textOf(given, rows), fault: undefined })
          continue
        }
        // All of them first: a key that cannot be one concerns the event as a whole.
        const texts = new Map(given.map((each: unknown) => [this.textOf(each, rows), each]))
        for (const [text, each] of texts) {
          if (only?.(recorded, String(text)) ?? true)
            all.push({ recorded, handler, event, given: each, text, fault: undefined })
        }
      } catch (error) {
        const text = recorded.streamId
        all.push({ recorded, handler, event: undefined, given: undefined, text, fault: { error } })
      }
    }
    return { all, rows, conditions: noConditions }
  }

  /** Most events concern a row that was met before: then its key was checked before. */
  private textOf(given: unknown, rows: Map<RowName, RowPlace>): RowName {
    if (typeof given === 'string' && rows.has(given)) return given
    const key = toKey(this.table, given)
    const text = keyText(key)
    rows.set(text, { table: this.table, key })
    return text
  }

  fold(
    { all, rows }: Steps<RowStep>,
    { byName: before }: KnownRows,
    isReplay: IsReplay,
    attempt: Attempt,
  ): Map<RowName, ChangedRow> {
    const after = new Map<RowName, Row | undefined>()
    for (const step of all) {
      const { text, recorded, handler } = step
      if (attempt.defers(recorded, String(text))) continue
      try {
        const row = after.has(text) ? after.get(text) : before.get(text)
        after.set(text, this.apply(step, row, isReplay(recorded)))
      } catch (error) {
        attempt.fail({ event: recorded, key: String(text), handler, error })
      }
    }
    const changed = new Map<RowName, ChangedRow>()
    for (const [text, row] of after) {
      if (!sameRow(this.table, before.get(text), row))
        changed.set(text, { table: this.table, key: rows.get(text)!.key, row })
    }
    return changed
  }

  private apply(
    { recorded, handler, text, given, event, fault }: RowStep,
    row: Row | undefined,
    isReplay: boolean,
  ): Row | undefined {
    if (fault !== undefined) throw fault.error
    const view = new EventView(recorded, isReplay, given)
    const next = handler.handle.call(this.instance, row, event ?? this.projection.decode(recorded), view)
    if (next === undefined) return undefined
    const checked = toRow(this.table, next, row)
    const key = keyText(keyOf(this.table, checked))
    if (key === text) return checked
    throw new RowRefused(`it returned a row with the key ${key}, but the event concerns the row ${text}`)
  }
}
