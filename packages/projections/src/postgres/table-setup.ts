// Creates the tables of a projection, or says how the existing ones differ from their declarations. It never alters one.
import type { ClientBase } from 'pg'
import type { BoundProjection } from '../definition/bind-projection.js'
import { tablesOf } from '../definition/projection-definition.js'
import type { SqlType } from '../table/column-type.js'
import type { Table } from '../table/table.js'
import { currentGeneration, setGeneration } from './generations.js'
import { createIndex, createTable, quote } from './table-statements.js'

/** Creates a table under a name of its own, without its secondary indexes. */
export async function makeTable(client: ClientBase, table: Table, name: string): Promise<void> {
  await client.query(createTable(table, name))
}

/** Creates the declared secondary indexes that a table does not have. */
export async function makeIndexes(client: ClientBase, table: Table, name: string): Promise<void> {
  if (table.indexes.length === 0) return
  const { rows } = await client.query(
    `SELECT array_agg(a.attname::text ORDER BY k.position) AS columns
     FROM pg_index i CROSS JOIN unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, position)
     JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
     WHERE i.indrelid = to_regclass($1) GROUP BY i.indexrelid`,
    [quote(name)],
  )
  const existing = new Set(rows.map((row: { columns: string[] }) => row.columns.join(' ')))
  for (const columns of table.indexes) {
    if (!existing.has(columns.map((column) => column.name).join(' '))) await client.query(createIndex(columns, name))
  }
}

/** Sets up the tables of a projection under the schema lock. Returns what is wrong, a sentence each. */
export async function setupTables(client: ClientBase, projection: BoundProjection): Promise<readonly string[]> {
  const tables = tablesOf(projection.target)
  const faults: string[] = []
  for (const table of tables) faults.push(...(await tableFaults(client, projection, table)))
  if (faults.length > 0) return faults
  for (const table of tables) {
    if (!(await tableExists(client, table.name))) await makeTable(client, table, table.name)
    await makeIndexes(client, table, table.name)
  }
  if ((await currentGeneration(client, projection.name)) === undefined) {
    const tableNames = tables.map(({ name }) => name)
    await setGeneration(client, projection.name, { generation: 1, tableNames, kept: undefined })
  }
  return []
}

/** Why a table of a projection could not be set up, a sentence each; changes nothing. */
export async function tableFaults(
  client: ClientBase,
  { name: projection }: BoundProjection,
  table: Table,
): Promise<readonly string[]> {
  const remedy = `Rebuild it, with narrative projections rebuild ${projection} or projections([…], { store, follow: false }).rebuild('${projection}'): the new table is built beside the old one and then replaces it.`
  const current = await currentGeneration(client, projection)
  const exists = await tableExists(client, table.name)
  const what = `Table ${table.name} of projection ${projection}`

  if (current !== undefined && !exists) {
    const written = current.tableNames.includes(table.name)
      ? ''
      : `; so far the projection wrote ${listOf(current.tableNames)}`
    return [`${what} is not there${written}. ${remedy}`]
  }
  if (!exists) return []
  if (!(current?.tableNames.includes(table.name) ?? false) && !(await areEmpty(client, [table.name]))) {
    return [
      `${what} already has rows, but no checkpoint says where they come from. Rename or empty it, or name another table.`,
    ]
  }
  const differences = await differencesOf(client, table)
  return differences.length === 0 ? [] : [`${what} differs from its declaration: ${differences.join('; ')}. ${remedy}`]
}

function listOf(names: readonly string[]): string {
  return names.length === 0 ? 'no table' : `table${names.length > 1 ? 's' : ''} ${names.join(', ')}`
}

export async function tableExists(client: ClientBase, name: string): Promise<boolean> {
  const { rows } = await client.query('SELECT to_regclass($1) IS NOT NULL AS exists', [quote(name)])
  return rows[0].exists
}

export async function areEmpty(client: ClientBase, names: readonly string[]): Promise<boolean> {
  const conditions = names.map((name) => `NOT EXISTS (SELECT 1 FROM ${quote(name)})`)
  const { rows } = await client.query(`SELECT ${conditions.join(' AND ')} AS empty`)
  return rows[0].empty
}

/** Postgres' own spelling of a type, where it is not the one declared. */
const spelling: Partial<Record<SqlType, string>> = { timestamptz: 'timestamp with time zone' }

/** How a table differs from its declaration. */
export async function differencesOf(client: ClientBase, table: Table, name = table.name): Promise<string[]> {
  const { rows } = await client.query(
    `SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull AS required,
       coalesce(a.attnum = ANY (i.indkey), false) AS key
     FROM pg_attribute a LEFT JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary
     WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`,
    [quote(name)],
  )
  const show = (type: string, required: boolean, key: boolean) =>
    `${type}${key ? ', in the key' : required ? '' : ' | null'}`
  const actual = new Map(rows.map((row) => [row.name as string, show(row.type, row.required, row.key)]))
  const differences: string[] = []
  for (const column of table.columns) {
    const declared = show(spelling[column.type] ?? column.type, !column.nullable, table.key.includes(column))
    const found = actual.get(column.name)
    if (found === undefined) differences.push(`column ${column.name} (${declared}) is missing`)
    else if (found !== declared) differences.push(`column ${column.name} is ${found}, declared is ${declared}`)
    actual.delete(column.name)
  }
  for (const name of actual.keys()) differences.push(`column ${name} is not declared`)
  return differences
}
