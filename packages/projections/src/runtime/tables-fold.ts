// The fold of a projection with several tables: a handler is given all rows it asks for, and returns those it changes.
//
// An event is applied to all of its rows or to none, so it waits when one of them waits. That a condition finds the same rows later,
// an event that is parked may still change: what meets its condition waits behind it, before its change and after.
import type { RecordedEvent } from '@narrative/core'
import type { BoundProjection } from '../definition/bind-projection.js'
import { EventView } from '../definition/projection-context.js'
import type { Tables } from '../definition/projection-definition.js'
import type { Attempt } from '../failures/attempt.js'
import { Conditions } from '../table/condition.js'
import { type Key, keyText, RowRefused } from '../table/row.js'
import type { Table } from '../table/table.js'
import { type AskedRows, toAskedRows } from './asked-rows.js'
import type { Fold, IsReplay, KnownRows, RowName, Step, Steps } from './fold.js'
import { HeldRows } from './held-rows.js'
import { toChangedRows } from './returned-rows.js'
import { RowsAtHand } from './rows-at-hand.js'
import type { ChangedRow, RowPlace } from './table-storage.js'

/** One event and all rows it concerns. */
export interface EventStep extends Step {
  readonly event: object | undefined
  readonly asked: readonly AskedRows[]
  /** What it is parked under when it fails: its rows, its conditions; the stream id when they could not be told. */
  readonly keys: readonly string[]
  wrote: Pick<ReadonlyMap<RowName, ChangedRow>, 'has'>
}

const nothing = new Map<RowName, ChangedRow>()

export class TablesFold implements Fold<EventStep> {
  readonly whole = true
  private readonly instance: unknown

  constructor(
    private readonly projection: BoundProjection,
    private readonly tables: Tables,
  ) {
    this.instance = projection.instance()
  }

  nameOf(table: Table, key: Key): RowName {
    return `${table.name}/${keyText(key)}`
  }

  wrote(step: EventStep, row: RowName): boolean {
    return step.wrote.has(row)
  }

  locate(events: readonly RecordedEvent[], isReplay: IsReplay): Steps<EventStep> {
    const all: EventStep[] = []
    const rows = new Map<RowName, RowPlace>()
    const conditions = new Conditions()
    for (const recorded of events) {
      const handler = this.projection.handlers.get(recorded.type)
      if (handler === undefined) continue
      try {
        const event = this.projection.decode(recorded)
        const given = handler.rows?.(event, new EventView(recorded, isReplay(recorded)))
        const asked = toAskedRows(this.tables, given, (table, key) => this.nameOf(table, key))
        const keys: string[] = []
        for (const some of asked) {
          for (const [name, key] of some.keys) {
            if (!rows.has(name)) rows.set(name, { table: some.table, key })
            keys.push(String(name))
          }
          for (const condition of some.conditions) {
            conditions.add(condition)
            keys.push(condition.text)
          }
        }
        if (keys.length === 0) keys.push(recorded.streamId)
        all.push({ recorded, handler, event, asked, keys, fault: undefined, wrote: nothing })
      } catch (error) {
        const keys = [recorded.streamId]
        all.push({ recorded, handler, event: undefined, asked: [], keys, fault: { error }, wrote: nothing })
      }
    }
    return { all, rows, conditions }
  }

  fold(
    { all, rows, conditions }: Steps<EventStep>,
    before: KnownRows,
    isReplay: IsReplay,
    attempt: Attempt,
  ): Map<RowName, ChangedRow> {
    const atHand = new RowsAtHand(before, rows, conditions, (table, key) => this.nameOf(table, key))
    const held = new HeldRows(Object.values(this.tables), attempt, all)
    for (const step of all) {
      const { recorded, handler, keys } = step
      step.wrote = nothing
      const hold = (park: (key: string) => void) => {
        for (const key of keys) {
          park(key)
          held.add(key, recorded.position.offset)
        }
      }
      const defer = () => hold((key) => attempt.defer(recorded, key))
      if (this.waits(step, atHand, attempt, held)) {
        defer()
        continue
      }
      try {
        const changed = this.apply(step, atHand, isReplay(recorded))
        if (held.holdOneOf([...changed.values()], recorded)) {
          defer()
          continue
        }
        for (const [name, change] of changed) atHand.set(name, change)
        step.wrote = changed
      } catch (error) {
        hold((key) => attempt.fail({ event: recorded, key, handler, error }))
      }
    }
    return atHand.changed()
  }

  private apply(step: EventStep, atHand: RowsAtHand, isReplay: boolean): ReadonlyMap<RowName, ChangedRow> {
    const { recorded, handler, event, asked, fault } = step
    if (fault !== undefined) throw fault.error
    const given = Object.fromEntries(asked.map((some) => [some.property, atHand.of(some)]))
    const view = new EventView(recorded, isReplay)
    const returned = handler.handle.call(this.instance, given, event, view)
    return toChangedRows(this.tables, returned, (table, key) => {
      const name = this.nameOf(table, key)
      const known = asked.some((some) => some.table === table && (some.keys.has(name) || atHand.isOf(some, name)))
      if (known) return { name, row: atHand.get(name) }
      throw new RowRefused(
        `it returned the row ${name}, which it had not asked for: name its key in the rows of @EventHandler(…, rows)`,
      )
    })
  }

  /** Whether an earlier event that is parked may still change rows of this one, or change which ones they are. */
  private waits({ recorded, asked, keys }: EventStep, atHand: RowsAtHand, attempt: Attempt, held: HeldRows): boolean {
    if (keys.some((key) => attempt.holds(recorded, key))) return true
    if (held.empty) return false
    if (asked.some(({ table, conditions }) => conditions.length > 0 && held.hold(table, recorded))) return true
    const present = asked.flatMap(({ table, keys: names }) =>
      [...names].map(([name, key]) => ({ table, key, row: atHand.get(name) })),
    )
    return held.holdOneOf(present, recorded)
  }
}
