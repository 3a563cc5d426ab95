// One generation of a table in Postgres: rows and checkpoints in the same transaction.
import { isNarrativeError, type LogPartition } from '@narrative/core'
import type { ClientBase, Pool } from 'pg'
import type { BoundProjection } from '../definition/bind-projection.js'
import { ViewReplaced } from '../runtime/session.js'
import { checkpointMoved, stoppedAtWrite } from '../runtime/stopped.js'
import type { Changes, Move, TableStorage } from '../runtime/table-storage.js'
import type { Column, Table } from '../table/table.js'
import { binaryArray } from './binary-array.js'
import { beginCheckpoints, currentGeneration, lockCheckpoints, moveCheckpoints } from './checkpoints.js'
import { isEmpty } from './table-setup.js'
import { asTexts, deleteByKeys, fromTexts, selectByKeys, upsert } from './table-statements.js'
import { query, transaction } from './transaction.js'

/** Which rows: of a projection's generation, in the table of this name. */
export interface GenerationOf {
  readonly projection: BoundProjection
  readonly table: Table
  readonly generation: number
  readonly tableName: string
}

export async function openPostgresTable(
  pool: Pool,
  of: GenerationOf,
  partitions: readonly LogPartition[],
): Promise<TableStorage> {
  const { projection, table, generation, tableName } = of
  const { checkpoints, empty } = await transaction(pool, async (client) => {
    await beginCheckpoints(client, projection.name, generation, partitions)
    // Checkpoints before rows: rows that are newer than their checkpoint would be found out by the next commit, older ones would not.
    const locked = await lockCheckpoints(client, projection.name, generation)
    return { checkpoints: locked, empty: await isEmpty(client, tableName) }
  })
  const load = selectByKeys(table, tableName)
  const write = upsert(table, tableName)
  const remove = deleteByKeys(table, tableName)

  return {
    checkpoints,
    empty,
    async load(keys) {
      const values = table.key.map((column, i) =>
        binaryArray(
          column.type,
          keys.map((key) => key[i]),
        ),
      )
      const { rows } = await query(pool, { text: load, values, ...asTexts })
      return rows.map((texts) => fromTexts(table, texts))
    },
    async commit({ upserts, deletes, moves }: Changes) {
      try {
        await transaction(pool, async (client) => {
          // First of all: it finds out a rival before any work, and holds him off until the end of this transaction.
          await claimCheckpoints(client, of, moves)
          if (deletes.length > 0) {
            await client.query(
              remove,
              table.key.map((column, i) =>
                binaryArray(
                  column.type,
                  deletes.map((key) => key[i]),
                ),
              ),
            )
          }
          if (upserts.length > 0)
            await client.query(
              write,
              table.columns.map((column) => columnOf(column, upserts)),
            )
        })
      } catch (error) {
        if (error instanceof ViewReplaced || isNarrativeError(error)) throw error
        throw stoppedAtWrite(
          projection.name,
          `writing ${upserts.length + deletes.length} rows to table ${tableName}`,
          error,
        )
      }
    },
  }
}

/** Moves the checkpoints of a generation, or says who else did. */
export async function claimCheckpoints(
  client: ClientBase,
  { projection, generation }: Pick<GenerationOf, 'projection' | 'generation'>,
  moves: readonly Move[],
): Promise<void> {
  if ((await moveCheckpoints(client, projection.name, generation, moves)) === moves.length) return
  const current = await currentGeneration(client, projection.name)
  if (current !== undefined && current.generation > generation) throw new ViewReplaced()
  throw checkpointMoved(
    projection.name,
    moves.map(({ from, to }) => `${to.topic}/${to.partition}@${from}`),
  )
}

function columnOf({ type, property }: Column, rows: Changes['upserts']): Buffer {
  return binaryArray(
    type,
    rows.map((row) => row[property]),
  )
}
