// What a handler of several tables asks for: which rows of which table, checked.
import type { Tables } from '../definition/projection-definition.js'
import { type Condition, RowsWhere, toCondition } from '../table/condition.js'
import { type Key, RowRefused, toKey } from '../table/row.js'
import type { Table } from '../table/table.js'
import type { RowName } from './fold.js'

/** The rows of one table that an event concerns. */
export interface AskedRows {
  /** What the handler calls the table. */
  readonly property: string
  readonly table: Table
  /** Whether one key was given: then the handler gets the row or undefined, else a list. */
  readonly one: boolean
  readonly keys: ReadonlyMap<RowName, Key>
  readonly conditions: readonly Condition[]
}

/** @throws RowRefused */
export function toAskedRows(
  tables: Tables,
  given: unknown,
  nameOf: (table: Table, key: Key) => RowName,
): readonly AskedRows[] {
  if (typeof given !== 'object' || given === null || given instanceof Promise)
    throw new RowRefused(`its rows are an object with keys by table: ${Object.keys(tables).join(', ')}`)
  return Object.entries(given)
    .filter(([, which]) => which !== undefined)
    .map(([property, which]: [string, unknown]) => {
      const table = tableNamed(tables, property, 'asks for')
      const parts: readonly unknown[] = Array.isArray(which) ? which : [which]
      const keys = new Map<RowName, Key>()
      const conditions = new Map<string, Condition>()
      for (const part of parts) {
        if (part instanceof RowsWhere) {
          const condition = toCondition(table, part.columns)
          conditions.set(condition.text, condition)
        } else {
          const key = toKey(table, part)
          keys.set(nameOf(table, key), key)
        }
      }
      const one = !Array.isArray(which) && conditions.size === 0
      return { property, table, one, keys, conditions: [...conditions.values()] }
    })
}

/** @throws RowRefused */
export function tableNamed(tables: Tables, property: string, what: string): Table {
  if (Object.hasOwn(tables, property)) return tables[property]!
  throw new RowRefused(
    `it ${what} rows of ${property}, which is not among the tables of its projection: ${Object.keys(tables).join(', ')}`,
  )
}
