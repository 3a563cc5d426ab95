// What a handler of several tables returns, checked: the rows that are to change.
import type { Tables } from '../definition/projection-definition.js'
import { DeletedRow } from '../table/deleted-row.js'
import { type Key, keyWithin, type Row, RowRefused, toRow } from '../table/row.js'
import type { Table } from '../table/table.js'
import { tableNamed } from './asked-rows.js'
import type { RowName } from './fold.js'
import type { ChangedRow } from './table-storage.js'

/**
 * @param present finds the row as it is, among those that were asked for
 * @throws RowRefused
 */
export function toChangedRows(
  tables: Tables,
  returned: unknown,
  present: (table: Table, key: Key) => { readonly name: RowName; readonly row: Row | undefined },
): ReadonlyMap<RowName, ChangedRow> {
  const changed = new Map<RowName, ChangedRow>()
  if (returned === undefined) return changed
  if (typeof returned !== 'object' || returned === null || Array.isArray(returned) || returned instanceof Promise) {
    const what = returned instanceof Promise ? 'a promise' : Array.isArray(returned) ? 'a list' : String(returned)
    throw new RowRefused(`it returned ${what} instead of the rows it changes, by table`)
  }
  for (const [property, value] of Object.entries(returned)) {
    if (value === undefined) continue
    const table = tableNamed(tables, property, 'returned')
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one === undefined) continue
      const change = toChange(table, one, present)
      if (changed.has(change.name)) throw new RowRefused(`it returned the row ${change.name} twice`)
      changed.set(change.name, change)
    }
  }
  return changed
}

function toChange(table: Table, value: unknown, present: Parameters<typeof toChangedRows>[2]) {
  if (value === null)
    throw new RowRefused(`it returned null for a row of table ${table.name}: to delete a row, return deleted(row)`)
  if (value instanceof DeletedRow) {
    const key = keyWithin(table, value.row)
    return { table, key, name: present(table, key).name, row: undefined }
  }
  if (typeof value !== 'object' || value instanceof Promise) toRow(table, value, undefined) // which refuses it
  const key = keyWithin(table, value as object)
  const { name, row: before } = present(table, key)
  return { table, key, name, row: toRow(table, value, before) }
}
