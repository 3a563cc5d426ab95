// The rows that some events concern, as each event leaves them to the next one: by name, and by the conditions that are asked for.
import type { Conditions } from '../table/condition.js'
import { byKey, type Key, type Row, sameRow } from '../table/row.js'
import type { Table } from '../table/table.js'
import type { AskedRows } from './asked-rows.js'
import type { KnownRows, RowName } from './fold.js'
import type { ChangedRow, RowPlace } from './table-storage.js'

export class RowsAtHand {
  private readonly after = new Map<RowName, ChangedRow>()
  /** By condition. */
  private readonly meeting = new Map<string, Set<RowName>>()

  constructor(
    private readonly before: KnownRows,
    places: ReadonlyMap<RowName, RowPlace>,
    private readonly conditions: Conditions,
    nameOf: (table: Table, key: Key) => RowName,
  ) {
    if (conditions.empty) return
    for (const { table, key, row } of before.found) this.move(nameOf(table, key), table, undefined, row)
    // A row may meet a condition and not have been found by it: it is in memory alone.
    for (const [name, { table }] of places) this.move(name, table, undefined, before.byName.get(name))
  }

  get(name: RowName): Row | undefined {
    const after = this.after.get(name)
    return after === undefined ? this.before.byName.get(name) : after.row
  }

  /** Whether a row is among those that were asked for by a condition. */
  isOf({ conditions }: AskedRows, name: RowName): boolean {
    return conditions.some(({ text }) => this.meeting.get(text)?.has(name))
  }

  /** The rows as a handler gets them: one or none, or a list in the order of the keys. */
  of(asked: AskedRows): Row | undefined | readonly Row[] {
    const { one, table, keys, conditions } = asked
    if (one) {
      const [name] = keys.keys()
      return this.get(name!)
    }
    const names = new Set(keys.keys())
    for (const { text } of conditions) for (const name of this.meeting.get(text) ?? []) names.add(name)
    const rows = [...names].map((name) => this.get(name)).filter((row) => row !== undefined)
    return Object.freeze(rows.sort(byKey(table)))
  }

  set(name: RowName, change: ChangedRow): void {
    this.move(name, change.table, this.get(name), change.row)
    this.after.set(name, change)
  }

  /** The rows that are not what they were. */
  changed(): Map<RowName, ChangedRow> {
    const changed = new Map<RowName, ChangedRow>()
    for (const [name, { table, key, row }] of this.after) {
      if (!sameRow(table, this.before.byName.get(name), row)) changed.set(name, { table, key, row })
    }
    return changed
  }

  /** From the conditions that it met to those that it meets now. */
  private move(name: RowName, table: Table, from: Row | undefined, to: Row | undefined): void {
    if (from !== undefined) for (const text of this.conditions.met(table, from)) this.meeting.get(text)?.delete(name)
    if (to === undefined) return
    for (const text of this.conditions.met(table, to)) {
      const names = this.meeting.get(text)
      if (names === undefined) this.meeting.set(text, new Set([name]))
      else names.add(name)
    }
  }
}
