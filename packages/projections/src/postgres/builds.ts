// Builds under way, or left behind: a row of the runtime's own each.
import { NarrativeError } from '@narrative/core'
import type { ClientBase, Pool } from 'pg'
import type { BoundProjection } from '../definition/bind-projection.js'
import { tablesOf } from '../definition/projection-definition.js'
import { createRuntimeTables } from './checkpoints.js'
import { currentGeneration, fromNames, nextGeneration, type TableGeneration, toNames } from './generations.js'
import { assertFree } from './relations.js'
import { makeIndexes, makeTable, tableExists } from './table-setup.js'
import { quote } from './table-statements.js'
import { query } from './transaction.js'

export async function readBuild(client: ClientBase, projection: string): Promise<TableGeneration | undefined> {
  await createRuntimeTables(client)
  const { rows } = await client.query('SELECT generation, table_name FROM narrative_builds WHERE projection = $1', [
    projection,
  ])
  return rows[0] && { generation: rows[0].generation, tableNames: toNames(rows[0].table_name) }
}

/** Makes empty tables for the next generation. */
export async function beginBuild(
  client: ClientBase,
  { name: projection, target }: BoundProjection,
): Promise<TableGeneration> {
  const current = await currentGeneration(client, projection)
  const tables = tablesOf(target)
  for (const { name } of tables) {
    if (current?.tableNames.includes(name) || !(await tableExists(client, name))) continue
    throw new NarrativeError('STARTUP_FAULTS', {
      message: `Table ${name} was not made by projection ${projection}, so a rebuild will not replace it. Rename it, or name another table.`,
    })
  }
  await assertFree(client, projection, (current?.tableNames ?? []).map(quote))
  const generation = nextGeneration(current)
  const tableNames = tables.map(({ name }) => `${name}__g${generation}`)
  for (const [i, table] of tables.entries()) {
    await makeTable(client, table, tableNames[i]!)
    // Conditions look rows up while they are folded; otherwise an index is cheaper when all rows are there.
    if (target.kind === 'tables') await makeIndexes(client, table, tableNames[i]!)
  }
  return noteBuild(client, projection, { generation, tableNames })
}

/** Says that a build is under way. */
export async function noteBuild(
  client: ClientBase,
  projection: string,
  build: TableGeneration,
): Promise<TableGeneration> {
  await client.query(
    `INSERT INTO narrative_builds (projection, generation, table_name) VALUES ($1, $2, $3)
     ON CONFLICT (projection) DO UPDATE SET generation = EXCLUDED.generation, table_name = EXCLUDED.table_name,
       began_at = now(), cancelled = false`,
    [projection, build.generation, fromNames(build.tableNames) ?? ''],
  )
  return build
}

export async function isCancelled(pool: Pool, projection: string): Promise<boolean> {
  const { rows } = await query(pool, 'SELECT cancelled FROM narrative_builds WHERE projection = $1', [projection])
  return rows[0]?.cancelled ?? false
}

export async function endBuild(client: ClientBase, projection: string): Promise<void> {
  await client.query('DELETE FROM narrative_builds WHERE projection = $1', [projection])
}
