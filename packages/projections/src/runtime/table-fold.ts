// Folds the events of a batch into rows: which rows it concerns, then one after the other in memory.
import { aggregateIdOf, type EventBatch, type RecordedEvent } from '@narrative/core'
import type { BoundProjection } from '../definition/bind-projection.js'
import { EventView } from '../definition/projection-context.js'
import type { HandlerDefinition, ProjectionTarget } from '../definition/projection-definition.js'
import { type Key, keyOf, keyText, type Row, RowRefused, sameRow, toKey, toRow } from '../table/row.js'
import type { Table } from '../table/table.js'
import { stoppedAtEvent } from './stopped.js'

/** A key in the form that Maps are kept by. */
export type KeyText = string | number

/** A row that is no longer what it was; undefined when it is to be deleted. */
export interface ChangedRow {
  readonly key: Key
  readonly row: Row | undefined
}

/** One event and the row it concerns. */
interface Step {
  readonly recorded: RecordedEvent
  readonly handler: HandlerDefinition
  readonly text: KeyText
  /** Decoded already when its key had to be asked for. */
  readonly event: object | undefined
}

/** A batch whose rows are known by key. */
export interface Steps {
  readonly all: readonly Step[]
  readonly keys: ReadonlyMap<KeyText, Key>
  readonly replayEnd: number
}

/** The fold of one projection. */
export class TableFold {
  private readonly instance: unknown
  private readonly table: Table
  private readonly key: (ProjectionTarget & { kind: 'table' })['key']

  constructor(
    private readonly projection: BoundProjection,
    target: ProjectionTarget & { kind: 'table' },
  ) {
    this.instance = projection.instance()
    this.table = target.table
    this.key = target.key
  }

  /** Finds the row of each event that has a handler; the others are not even decoded. */
  locate(batch: EventBatch, replayEnd: number): Steps {
    const all: Step[] = []
    const keys = new Map<KeyText, Key>()
    for (const recorded of batch.events) {
      const handler = this.projection.handlers.get(recorded.type)
      if (handler === undefined) continue
      try {
        const event = this.key && this.projection.decode(recorded)
        const given =
          this.key === undefined
            ? aggregateIdOf(recorded.streamId)
            : this.key(event, new EventView(recorded, recorded.position.offset < replayEnd))
        // Most events concern a row that was met before: then its key was checked before.
        if (typeof given === 'string' && keys.has(given)) {
          all.push({ recorded, handler, text: given, event })
          continue
        }
        const key = toKey(this.table, given)
        const text = keyText(key)
        keys.set(text, key)
        all.push({ recorded, handler, text, event })
      } catch (error) {
        throw stoppedAtEvent(this.projection.name, handler, recorded, error)
      }
    }
    return { all, keys, replayEnd }
  }

  /** Folds the events over the rows as they were before; gives the rows that are different afterwards. */
  fold({ all, keys, replayEnd }: Steps, before: ReadonlyMap<KeyText, Row | undefined>): Map<KeyText, ChangedRow> {
    const after = new Map<KeyText, Row | undefined>()
    for (const step of all) {
      const { text } = step
      after.set(text, this.apply(step, after.has(text) ? after.get(text) : before.get(text), replayEnd))
    }
    const changed = new Map<KeyText, ChangedRow>()
    for (const [text, row] of after) {
      if (!sameRow(this.table, before.get(text), row)) changed.set(text, { key: keys.get(text)!, row })
    }
    return changed
  }

  private apply({ recorded, handler, text, event }: Step, row: Row | undefined, replayEnd: number): Row | undefined {
    try {
      const view = new EventView(recorded, recorded.position.offset < replayEnd)
      const next = handler.handle.call(this.instance, row, event ?? this.projection.decode(recorded), view)
      if (next === undefined) return undefined
      const checked = toRow(this.table, next, row)
      const key = keyText(keyOf(this.table, checked))
      if (key === text) return checked
      throw new RowRefused(`it returned a row with the key ${key}, but the event concerns the row ${text}`)
    } catch (error) {
      throw stoppedAtEvent(this.projection.name, handler, recorded, error)
    }
  }
}
