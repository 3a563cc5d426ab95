// Folds events into rows: which row each concerns, then one after the other in memory.
import { aggregateIdOf, type RecordedEvent } from '@narrative/core'
import type { BoundProjection } from '../definition/bind-projection.js'
import { EventView } from '../definition/projection-context.js'
import type { HandlerDefinition } from '../definition/projection-definition.js'
import { assertReadable } from '../definition/unreadable-event.js'
import type { Attempt } from '../failures/attempt.js'
import { type Key, keyOf, keyText, type Row, RowRefused, sameRow, toKey, toRow } from '../table/row.js'
import type { Table } from '../table/table.js'
import type { ChangedRow } from './table-storage.js'

/** A key in the form that Maps are kept by. */
export type KeyText = string | number

/** One event and the row it concerns. */
export interface Step {
  readonly recorded: RecordedEvent
  readonly handler: HandlerDefinition
  /** The key as the projection, or the stream, names it. */
  readonly given: unknown
  /** The stream id when the key could not be told. */
  readonly text: KeyText
  /** Decoded already when its key had to be asked for. */
  readonly event: object | undefined
  /** Why it cannot be applied, when that is known beforehand. */
  fault: { readonly error: unknown; readonly byStore?: boolean } | undefined
}

/** Events whose rows are known by key. */
export interface Steps {
  readonly all: readonly Step[]
  readonly keys: ReadonlyMap<KeyText, Key>
}

/** Whether the effects of an event outside the view were had when it was first applied. */
export type IsReplay = (event: RecordedEvent) => boolean

/** The fold of one projection. */
export class TableFold {
  private readonly instance: unknown

  constructor(
    private readonly projection: BoundProjection,
    private readonly table: Table,
  ) {
    this.instance = projection.instance()
  }

  /**
   * Finds the rows of each event that has a handler; other events are not even decoded.
   * @param only of an event that concerns several rows, those it is to be applied to
   */
  locate(
    events: readonly RecordedEvent[],
    isReplay: IsReplay,
    only?: (event: RecordedEvent, text: string) => boolean,
  ): Steps {
    const all: Step[] = []
    const keys = new Map<KeyText, Key>()
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
          all.push({ recorded, handler, event, given, text: this.textOf(given, keys), fault: undefined })
          continue
        }
        // All of them first: a key that cannot be one concerns the event as a whole.
        const texts = new Map(given.map((each: unknown) => [this.textOf(each, keys), each]))
        for (const [text, each] of texts) {
          if (only?.(recorded, String(text)) ?? true)
            all.push({ recorded, handler, event, given: each, text, fault: undefined })
        }
      } catch (error) {
        const text = recorded.streamId
        all.push({ recorded, handler, event: undefined, given: undefined, text, fault: { error } })
      }
    }
    return { all, keys }
  }

  /** Most events concern a row that was met before: then its key was checked before. */
  private textOf(given: unknown, keys: Map<KeyText, Key>): KeyText {
    if (typeof given === 'string' && keys.has(given)) return given
    const key = toKey(this.table, given)
    const text = keyText(key)
    keys.set(text, key)
    return text
  }

  /**
   * Folds the events over the rows as they were before; gives the rows that are different afterwards. What fails, and what has to wait
   * behind it, is left to the attempt.
   */
  fold(
    { all, keys }: Steps,
    before: ReadonlyMap<KeyText, Row | undefined>,
    isReplay: IsReplay,
    attempt: Attempt,
  ): Map<KeyText, ChangedRow> {
    const after = new Map<KeyText, Row | undefined>()
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
    const changed = new Map<KeyText, ChangedRow>()
    for (const [text, row] of after) {
      if (!sameRow(this.table, before.get(text), row)) changed.set(text, { key: keys.get(text)!, row })
    }
    return changed
  }

  private apply(
    { recorded, handler, text, given, event, fault }: Step,
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
