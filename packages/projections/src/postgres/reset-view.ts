// Empties a view where it stands, so that its workers build it anew from offset 0.
import type { Pool } from 'pg'
import type { BoundProjection } from '../definition/bind-projection.js'
import { dropCheckpoints, lockCheckpoints, lockSchema } from './checkpoints.js'
import { holdGeneration, setGeneration } from './generations.js'
import { lockTables } from './lock-tables.js'
import { quote } from './table-statements.js'
import { transaction } from './transaction.js'

export async function resetView(pool: Pool, { name, target }: BoundProjection): Promise<void> {
  await transaction(pool, async (client) => {
    await lockSchema(client)
    const current = await holdGeneration(client, name, 'UPDATE')
    if (current === undefined) return
    // Holds the workers; their next commits find no checkpoints.
    await lockCheckpoints(client, name, current.generation)
    await lockTables(client, current.tableNames)
    if (target.kind === 'sql') await client.query(target.schema.reset)
    if (current.tableNames.length > 0) await client.query(`TRUNCATE ${current.tableNames.map(quote).join(', ')}`)
    await dropCheckpoints(client, name, current.generation)
    await setGeneration(client, name, current)
  })
}
