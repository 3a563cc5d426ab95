// What parked events keep to themselves beside their own rows: those that meet their conditions, whichever these are by now.
import type { RecordedEvent } from '@narrative/core'
import type { Attempt } from '../failures/attempt.js'
import { Conditions, readCondition } from '../table/condition.js'
import type { Table } from '../table/table.js'
import type { ChangedRow } from './table-storage.js'

/** In one try at some events of a partition. */
export class HeldRows {
  /** Conditions by the offset from which on events wait behind them. */
  private readonly conditions = new Map<number, Conditions>()
  /** By table, from where on an event with a condition has to wait. */
  private readonly tables = new Map<string, number>()

  constructor(
    private readonly known: readonly Table[],
    { parked }: Attempt,
    [first]: readonly { readonly recorded: RecordedEvent }[],
  ) {
    if (first === undefined || parked.size === 0) return
    for (const [key, offset] of parked.keysOf(first.recorded.position)) this.add(key, offset)
  }

  /** From the event at this offset on. */
  add(key: string, offset: number): void {
    const table = this.known.find(({ name }) => key.startsWith(`${name}/`) || key.startsWith(`${name} where `))
    if (table === undefined) return
    this.tables.set(table.name, Math.min(offset, this.tables.get(table.name) ?? offset))
    const condition = readCondition([table], key)
    if (condition === undefined) return
    const conditions = this.conditions.get(offset) ?? new Conditions()
    conditions.add(condition)
    this.conditions.set(offset, conditions)
  }

  get empty(): boolean {
    return this.tables.size === 0
  }

  /** Whether an earlier event may still change which rows of a table meet a condition. */
  hold(table: Table, { position }: RecordedEvent): boolean {
    return (this.tables.get(table.name) ?? position.offset) < position.offset
  }

  /** Whether one of these rows meets a condition of an earlier event. */
  holdOneOf(rows: readonly ChangedRow[], { position }: RecordedEvent): boolean {
    for (const [offset, conditions] of this.conditions) {
      if (offset >= position.offset) continue
      if (rows.some(({ table, row }) => row !== undefined && conditions.met(table, row).length > 0)) return true
    }
    return false
  }
}
