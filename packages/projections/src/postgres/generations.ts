// Which generation of a view is the one that is read, and in which tables it is.
import { createHash } from 'node:crypto'
import type { ClientBase, Pool } from 'pg'
import { dropCheckpoints } from './checkpoints.js'
import { quote } from './table-statements.js'

/** A generation and the tables it is in. */
export interface TableGeneration {
  readonly generation: number
  readonly tableNames: readonly string[]
}

/** The generation that readers see. */
export interface CurrentGeneration {
  readonly generation: number
  /** The tables it was made with; none for a projection with SQL of its own. */
  readonly tableNames: readonly string[]
  /** An older one that a rebuild kept. */
  readonly kept: TableGeneration | undefined
}

export async function currentGeneration(
  client: Pick<ClientBase | Pool, 'query'>,
  projection: string,
): Promise<CurrentGeneration | undefined> {
  return selectGeneration(client, projection, '')
}

/**
 * The generation that is read, held until the transaction ends. Whoever opens a session shares it; whoever puts another one in its place,
 * or empties it, has it alone, and first of all. Else a session that was being opened could make checkpoints for a generation that is gone,
 * and write under them, from offset 0, to the tables of the new one.
 */
export async function holdGeneration(
  client: ClientBase,
  projection: string,
  how: 'SHARE' | 'UPDATE',
): Promise<CurrentGeneration | undefined> {
  return selectGeneration(client, projection, `FOR ${how}`)
}

async function selectGeneration(
  client: Pick<ClientBase | Pool, 'query'>,
  projection: string,
  lock: string,
): Promise<CurrentGeneration | undefined> {
  const { rows } = await client.query(
    `SELECT generation, table_name, kept_generation, kept_table FROM narrative_projections WHERE projection = $1 ${lock}`,
    [projection],
  )
  const [row] = rows
  if (row === undefined) return undefined
  const kept =
    row.kept_generation === null ? undefined : { generation: row.kept_generation, tableNames: toNames(row.kept_table) }
  return { generation: row.generation, tableNames: toNames(row.table_name), kept }
}

export function nextGeneration(current: CurrentGeneration | undefined): number {
  return Math.max(current?.generation ?? 0, current?.kept?.generation ?? 0) + 1
}

/** Says which generation is read; its workers begin again. */
export async function setGeneration(
  client: ClientBase,
  projection: string,
  { generation, tableNames, kept }: CurrentGeneration,
): Promise<void> {
  await client.query(
    `INSERT INTO narrative_projections (projection, generation, table_name, kept_generation, kept_table)
     VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (projection) DO UPDATE SET generation = EXCLUDED.generation, table_name = EXCLUDED.table_name,
       kept_generation = EXCLUDED.kept_generation, kept_table = EXCLUDED.kept_table,
       wake = narrative_projections.wake + 1`,
    [projection, generation, fromNames(tableNames), kept?.generation ?? null, fromNames(kept?.tableNames ?? [])],
  )
}

/** Several tables are stored as one text: no comma can be in the name of a declared table. */
export function fromNames(names: readonly string[]): string | null {
  return names.length === 0 ? null : names.join(',')
}

export function toNames(stored: string | null): readonly string[] {
  return stored === null || stored === '' ? [] : stored.split(',')
}

/** The schemas in which generations of a free-SQL projection are built, or kept. */
export async function schemasOf(
  client: Pick<ClientBase | Pool, 'query'>,
  projection: string,
): Promise<(of: Pick<TableGeneration, 'generation'>) => string> {
  // Services that share a database have a schema each, and may call a projection the same; it may have a longer name than a schema.
  const { rows } = await client.query('SELECT current_schema() AS home')
  const digest = createHash('sha256').update(`${rows[0].home}.${projection}`).digest('hex').slice(0, 12)
  return ({ generation }) => `narrative_build_${digest}_g${generation}`
}

/** Drops a generation's tables, too. */
export async function dropGeneration(
  client: ClientBase,
  projection: string,
  { generation, tableNames }: TableGeneration,
): Promise<void> {
  const schemaFor = await schemasOf(client, projection)
  for (const name of tableNames) await client.query(`DROP TABLE IF EXISTS ${quote(name)}`)
  await client.query(`DROP SCHEMA IF EXISTS ${schemaFor({ generation })} CASCADE`)
  await dropCheckpoints(client, projection, generation)
}
