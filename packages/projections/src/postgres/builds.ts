// Builds under way, or left behind: a row of the runtime's own each.
import { NarrativeError } from '@narrative/core'
import type { ClientBase, Pool } from 'pg'
import type { Table } from '../table/table.js'
import { createRuntimeTables } from './checkpoints.js'
import { currentGeneration, type TableGeneration } from './generations.js'
import { makeTable, tableExists } from './table-setup.js'
import { query } from './transaction.js'

export async function readBuild(client: ClientBase, projection: string): Promise<TableGeneration | undefined> {
  await createRuntimeTables(client)
  const { rows } = await client.query('SELECT generation, table_name FROM narrative_builds WHERE projection = $1', [
    projection,
  ])
  return rows[0] && { generation: rows[0].generation, tableName: rows[0].table_name }
}

/** Makes an empty table for the next generation. */
export async function beginBuild(client: ClientBase, projection: string, table: Table): Promise<TableGeneration> {
  const current = await currentGeneration(client, projection)
  if (current === undefined && (await tableExists(client, table.name))) {
    throw new NarrativeError('STARTUP_FAULTS', {
      message: `Table ${table.name} was not made by projection ${projection}, so a rebuild will not replace it. Rename it, or name another table.`,
    })
  }
  const generation = Math.max(current?.generation ?? 0, current?.kept?.generation ?? 0) + 1
  const tableName = `${table.name}__g${generation}`
  await makeTable(client, table, tableName)
  await client.query(
    `INSERT INTO narrative_builds (projection, generation, table_name) VALUES ($1, $2, $3)
     ON CONFLICT (projection) DO UPDATE SET generation = EXCLUDED.generation, table_name = EXCLUDED.table_name,
       began_at = now(), cancelled = false`,
    [projection, generation, tableName],
  )
  return { generation, tableName }
}

export async function isCancelled(pool: Pool, projection: string): Promise<boolean> {
  const { rows } = await query(pool, 'SELECT cancelled FROM narrative_builds WHERE projection = $1', [projection])
  return rows[0]?.cancelled ?? false
}

export async function endBuild(client: ClientBase, projection: string): Promise<void> {
  await client.query('DELETE FROM narrative_builds WHERE projection = $1', [projection])
}
