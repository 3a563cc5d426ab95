// Puts a row that was made anew in place, in one transaction that holds all who follow the projection.
import type { Checkpoint } from '@narrative/core'
import type { Pool } from 'pg'
import type { BoundProjection } from '../definition/bind-projection.js'
import type { RowAt } from '../runtime/table-storage.js'
import type { Key } from '../table/row.js'
import type { Table } from '../table/table.js'
import { endSessions, lockCheckpoints, readCheckpoints } from './checkpoints.js'
import { changeLetters } from './dead-letter-table.js'
import { currentGeneration } from './generations.js'
import { rowWriter } from './postgres-table.js'
import { transaction } from './transaction.js'

export async function replaceRow(
  pool: Pool,
  { name }: BoundProjection,
  table: Table,
  key: Key,
  rowAt: (checkpoints: readonly Checkpoint[]) => Promise<RowAt>,
): Promise<void> {
  // Nearly all of the history at leisure, so that the workers are held only for the rest of it.
  await rowAt(await readCheckpoints(pool, name))
  await transaction(pool, async (client) => {
    const generation = (await currentGeneration(client, name))?.generation ?? 0
    const held = await lockCheckpoints(client, name, generation)
    const { row, letters } = await rowAt(held.map(({ checkpoint }) => checkpoint))
    await rowWriter([{ table, name: table.name }])(client, [{ table, key, row }])
    await changeLetters(client, { projection: name, generation }, letters)
    // They know the row as it was.
    await endSessions(client, name, generation)
  })
}
