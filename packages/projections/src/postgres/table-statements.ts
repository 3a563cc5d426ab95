// The SQL of a declared table, made once per table: create, load, upsert, delete, find.

import type { SqlType } from '../table/column-type.js'
import { freeze } from '../table/json-value.js'
import type { Row } from '../table/row.js'
import type { Column, Table } from '../table/table.js'
import type { Search } from '../table/table-reader.js'
import { arrayTypeOf } from './binary-array.js'

/** Quotes an identifier. */
export function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** How a column comes out of Postgres, whatever the server's date style is. */
const selected: Partial<Record<SqlType, (column: string) => string>> = {
  timestamptz: (column) => `round(extract(epoch FROM ${column}) * 1000)`,
  date: (column) => `to_char(${column}, 'YYYY-MM-DD')`,
}

const parsed: Readonly<Record<SqlType, (text: string) => unknown>> = {
  uuid: (text) => text,
  text: (text) => text,
  integer: Number,
  bigint: toSafeInteger,
  'double precision': Number,
  numeric: (text) => text,
  boolean: (text) => text === 't',
  timestamptz: (text) => new Date(Number(text)),
  date: (text) => text,
  jsonb: (text) => freeze(JSON.parse(text)),
}

function toSafeInteger(text: string): number {
  const value = Number(text)
  if (Number.isSafeInteger(value)) return value
  throw new RangeError(`The bigint ${text} in a read model is beyond 2^53 - 1; it was not written by its projection.`)
}

/** Rows arrive as texts, and each column's own type reads its own. */
export const asTexts = { rowMode: 'array', types: { getTypeParser: () => (text: string) => text } } as const

/** Turns a row of texts, in the order of the columns, into a row. */
export function fromTexts(table: Table, texts: readonly (string | null)[]): Row {
  const row: Record<string, unknown> = {}
  table.columns.forEach(({ property, type }, i) => {
    const text = texts[i]
    row[property] = text === null || text === undefined ? null : parsed[type](text)
  })
  return Object.freeze(row)
}

function selectList(table: Table, alias: string): string {
  return table.columns
    .map(({ name, type }) => (selected[type] ?? ((column: string) => column))(`${alias}.${quote(name)}`))
    .join(', ')
}

/** `unnest($1::uuid[], …) AS name(c1, …)`, for one array parameter per column. */
function unnest(columns: readonly Column[], alias: string): string {
  const parameters = columns.map(({ type }, i) => `$${i + 1}::${arrayTypeOf(type).array}`)
  return `unnest(${parameters.join(', ')}) AS ${alias}(${columns.map(({ name }) => quote(name)).join(', ')})`
}

function onEqual(columns: readonly Column[]): string {
  return columns.map(({ name, type }) => `t.${quote(name)} = k.${quote(name)}${arrayTypeOf(type).cast}`).join(' AND ')
}

export function createTable(table: Table, name: string): string {
  const columns = table.columns.map((c) => `${quote(c.name)} ${c.type}${c.nullable ? '' : ' NOT NULL'}`)
  return `CREATE TABLE ${quote(name)} (${columns.join(', ')}, PRIMARY KEY (${names(table.key)}))`
}

export function createIndex(columns: readonly Column[], name: string): string {
  return `CREATE INDEX ON ${quote(name)} (${names(columns)})`
}

/** Rows by the values of some columns, default those of the key. Parameters: one array per such column. */
export function selectBy(table: Table, name: string, columns = table.key): string {
  return `SELECT ${selectList(table, 't')} FROM ${unnest(columns, 'k')} JOIN ${quote(name)} AS t ON ${onEqual(columns)}`
}

/** Parameters: one array per column. */
export function upsert(table: Table, name: string): string {
  const values = table.columns.map(({ name: column, type }) => `n.${quote(column)}${arrayTypeOf(type).cast}`)
  const rest = table.columns.filter((column) => !table.key.includes(column))
  const update =
    rest.length === 0
      ? 'NOTHING'
      : `UPDATE SET ${rest.map((c) => `${quote(c.name)} = EXCLUDED.${quote(c.name)}`).join(', ')}`
  return `INSERT INTO ${quote(name)} (${names(table.columns)}) SELECT ${values.join(', ')} FROM ${unnest(table.columns, 'n')} ON CONFLICT (${names(table.key)}) DO ${update}`
}

/** Parameters: one array per key column. */
export function deleteByKeys(table: Table, name: string): string {
  return `DELETE FROM ${quote(name)} AS t USING ${unnest(table.key, 'k')} WHERE ${onEqual(table.key)}`
}

/** A search; its parameters are the values of `where` that are not null, then limit and offset. */
export function find(table: Table, search: Search): { readonly text: string; readonly values: readonly unknown[] } {
  const { condition, values } = where(search)
  const order = search.orderBy.map(({ column, descending }) => {
    const direction = descending ? ' DESC NULLS FIRST' : ' ASC NULLS LAST'
    return `t.${quote(column.name)}${column.type === 'text' ? ' COLLATE "C"' : ''}${direction}`
  })
  const text = `SELECT ${selectList(table, 't')} FROM ${quote(table.name)} AS t${condition} ORDER BY ${order.join(', ')} LIMIT $${values.length + 1} OFFSET $${values.length + 2}`
  return { text, values: [...values, search.limit, search.offset] }
}

export function count(table: Table, search: Search): { readonly text: string; readonly values: readonly unknown[] } {
  const { condition, values } = where(search)
  return { text: `SELECT count(*) FROM ${quote(table.name)} AS t${condition}`, values }
}

function where(search: Search): { condition: string; values: unknown[] } {
  const values: unknown[] = []
  const terms = search.where.map(([column, value]) => {
    if (value === null) return `t.${quote(column.name)} IS NULL`
    values.push(value instanceof Date ? value.toISOString() : value)
    return `t.${quote(column.name)} = $${values.length}::${column.type}`
  })
  return { condition: terms.length === 0 ? '' : ` WHERE ${terms.join(' AND ')}`, values }
}

function names(columns: readonly Column[]): string {
  return columns.map(({ name }) => quote(name)).join(', ')
}
