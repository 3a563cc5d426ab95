// One generation of a table in Postgres: rows, dead letters and checkpoints in the same transaction.
import { isNarrativeError } from '@narrative/core'
import type { ClientBase, Pool } from 'pg'
import type { BoundProjection } from '../definition/bind-projection.js'
import { ViewReplaced, WriteRefused } from '../runtime/session.js'
import type { ChangedRow, Changes, TableStorage } from '../runtime/table-storage.js'
import type { Place } from '../runtime/work-share.js'
import type { Key, Row } from '../table/row.js'
import type { Table } from '../table/table.js'
import { binaryArray } from './binary-array.js'
import { beginCheckpoints, lockCheckpoints } from './checkpoints.js'
import { ClaimedCheckpoints } from './claimed-checkpoints.js'
import { changeLetters, readAsked, readParked } from './dead-letter-table.js'
import { refusalOf } from './savepoint.js'
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
  partitions: readonly Place[],
): Promise<TableStorage> {
  const { projection, table, generation, tableName } = of
  const letters = { projection: projection.name, generation }
  const { stored, parked, empty } = await transaction(pool, async (client) => {
    await beginCheckpoints(client, projection.name, generation, partitions)
    // Checkpoints before rows: rows that are newer than their checkpoint would be found out by the next commit, older ones would not.
    const stored = await lockCheckpoints(client, projection.name, generation, partitions)
    const parked = await readParked(client, letters, partitions)
    return { stored, parked, empty: await isEmpty(client, tableName) }
  })
  const checkpoints = new ClaimedCheckpoints(projection, generation, stored)
  const load = selectByKeys(table, tableName)
  const write = rowWriter(table, tableName)

  return {
    checkpoints: checkpoints.all,
    parked,
    empty,
    async load(keys) {
      const { rows } = await query(pool, { text: load, values: keyColumns(table, keys), ...asTexts })
      return rows.map((texts) => fromTexts(table, texts))
    },
    async commit({ rows, moves, letters: changed }: Changes) {
      try {
        await transaction(pool, async (client) => {
          await checkpoints.move(client, moves)
          await write(client, rows)
          await changeLetters(client, letters, changed)
        })
      } catch (error) {
        if (error instanceof ViewReplaced || isNarrativeError(error)) throw error
        throw new WriteRefused(
          moves.map(({ to }) => to),
          error,
        )
      }
      checkpoints.committed(moves)
    },
    refusals: (rows) => findRefusals(pool, rows, write),
    asked: (all) => readAsked(pool, letters, partitions, all),
  }
}

/** Writes rows in two statements: those to be deleted, and the others. */
type WriteRows = (client: ClientBase, rows: readonly ChangedRow[]) => Promise<void>

/** Writes rows of a table that is called so. */
export function rowWriter(table: Table, tableName: string): WriteRows {
  const write = upsert(table, tableName)
  const remove = deleteByKeys(table, tableName)
  return async (client, rows) => {
    const deletes = rows.filter(({ row }) => row === undefined).map(({ key }) => key)
    const upserts = rows.map(({ row }) => row).filter((row) => row !== undefined)
    if (deletes.length > 0) await client.query(remove, keyColumns(table, deletes))
    if (upserts.length > 0) await client.query(write, rowColumns(table, upserts))
  }
}

/** All at once first; only when that fails, each by itself. Nothing of it is kept. */
async function findRefusals(
  pool: Pool,
  rows: readonly ChangedRow[],
  write: WriteRows,
): Promise<ReadonlyMap<number, unknown>> {
  const refused = new Map<number, unknown>()
  const attempt = (client: ClientBase, some: readonly ChangedRow[]) => {
    return refusalOf(client, () => write(client, some))
  }
  await transaction(pool, async (client) => {
    if ((await attempt(client, rows)) !== undefined) {
      for (const [index, row] of rows.entries()) {
        const refusal = await attempt(client, [row])
        if (refusal !== undefined) refused.set(index, refusal.error)
      }
    }
    throw new Discarded()
  }).catch((error: unknown) => {
    if (!(error instanceof Discarded)) throw error
  })
  return refused
}

/** Ends a transaction of which nothing is to be kept. */
class Discarded extends Error {}

function keyColumns(table: Table, keys: readonly Key[]): Buffer[] {
  return table.key.map(({ type }, i) =>
    binaryArray(
      type,
      keys.map((key) => key[i]),
    ),
  )
}

function rowColumns(table: Table, rows: readonly Row[]): Buffer[] {
  return table.columns.map(({ type, property }) =>
    binaryArray(
      type,
      rows.map((row) => row[property]),
    ),
  )
}
