// A row checked against its table, its key, and whether two rows are the same.
import { columnTypes } from './column-type.js'
import type { Column, Table } from './table.js'

/** A row whose values were checked: what the memory and Postgres hold. */
export type Row = Readonly<Record<string, unknown>>

/** The values of the key columns, in their order. */
export type Key = readonly unknown[]

/** Why a value cannot be a row; the caller knows which event it came from. */
export class RowRefused extends TypeError {}

/**
 * Checks a value returned by a fold and puts it into the form Postgres would give back.
 *
 * The result is frozen: rows are shared by the cache, by folds and by readers, and a change in place would be seen by some and written by
 * nobody.
 *
 * @param before the row it was made from; what it took over from there was checked then
 */
export function toRow(table: Table, value: unknown, before: Row | undefined): Row {
  if (value === before && before !== undefined) return before
  if (typeof value !== 'object' || value === null || value instanceof Promise) {
    const what = value instanceof Promise ? 'a promise' : value === null ? 'null' : `a ${typeof value}`
    throw new RowRefused(`it returned ${what} instead of a row of table ${table.name}`)
  }
  const given = value as Record<string, unknown>
  const row: Record<string, unknown> = {}
  for (const column of table.columns) {
    const { property } = column
    const kept = before !== undefined && given[property] === before[property]
    row[property] = kept ? given[property] : toValue(table, column, given[property])
  }
  for (const property in given) {
    if (!(property in row) && given[property] !== undefined) {
      throw new RowRefused(`it returned a row with ${property}, which table ${table.name} does not have`)
    }
  }
  return Object.freeze(row)
}

/** Checks one value of a row or of a key. */
export function toValue(table: Table, column: Column, value: unknown): unknown {
  if ((value === null || value === undefined) && column.nullable) return null
  const normal = columnTypes[column.type].normalise(value)
  if (normal !== undefined) return normal
  const expects = `${columnTypes[column.type].expects}${column.nullable ? ' or null' : ''}`
  throw new RowRefused(`column ${column.property} of table ${table.name} must be ${expects}, but is ${show(value)}`)
}

/** Reads a key as users give it: the value of the one key column, or an object with several. */
export function toKey(table: Table, key: unknown): Key {
  const [only] = table.key
  if (table.key.length === 1) return [toValue(table, only!, key)]
  if (typeof key !== 'object' || key === null) {
    throw new RowRefused(
      `the key of table ${table.name} is an object with ${table.key.map((c) => c.property).join(', ')}`,
    )
  }
  return keyWithin(table, key)
}

/** The key of a row. */
export function keyOf(table: Table, row: Row): Key {
  return table.key.map((column) => row[column.property])
}

/** The key of anything that has the key columns. @throws RowRefused */
export function keyWithin(table: Table, row: object): Key {
  return table.key.map((column) => toValue(table, column, (row as Record<string, unknown>)[column.property]))
}

/** The order of rows by key, the same everywhere. */
export function byKey(table: Table): (a: Row, b: Row) => number {
  return (a, b) => {
    for (const { property, type } of table.key) {
      const order = columnTypes[type].compare(a[property], b[property])
      if (order !== 0) return order
    }
    return 0
  }
}

/** A key as the key of a Map. */
export function keyText(key: Key): string | number {
  const [only] = key
  if (key.length === 1 && (typeof only === 'string' || typeof only === 'number')) return only
  return JSON.stringify(key)
}

/** Whether writing `b` over `a` would change nothing. */
export function sameRow(table: Table, a: Row | undefined, b: Row | undefined): boolean {
  if (a === b) return true
  if (a === undefined || b === undefined) return false
  return table.columns.every(({ property, type }) => columnTypes[type].same(a[property], b[property]))
}

function show(value: unknown): string {
  if (value === undefined) return 'missing'
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value)
  if (typeof value === 'object') return value === null ? 'null' : `a(n) ${value.constructor?.name ?? 'object'}`
  return String(value)
}
