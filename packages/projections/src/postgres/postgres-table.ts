// One generation of a projection's tables in Postgres: rows, dead letters and checkpoints in the same transaction.
import { isNarrativeError } from '@narrative/core'
import type { ClientBase, Pool } from 'pg'
import type { BoundProjection } from '../definition/bind-projection.js'
import { ViewReplaced, WriteRefused } from '../runtime/session.js'
import type { ChangedRow, Changes, TableStorage } from '../runtime/table-storage.js'
import type { Place } from '../runtime/work-share.js'
import type { Row } from '../table/row.js'
import type { Column, Table } from '../table/table.js'
import { binaryArray } from './binary-array.js'
import { beginCheckpoints, lockCheckpoints } from './checkpoints.js'
import { ClaimedCheckpoints } from './claimed-checkpoints.js'
import { changeLetters, readAsked, readParked } from './dead-letter-table.js'
import { holdGeneration } from './generations.js'
import { refusalOf } from './savepoint.js'
import { areEmpty } from './table-setup.js'
import { asTexts, deleteByKeys, fromTexts, selectBy, upsert } from './table-statements.js'
import { query, transaction } from './transaction.js'

/** A declared table, and what it is called in the database for the time being. */
export interface NamedTable {
  readonly table: Table
  readonly name: string
}

/** Which rows: of a projection's generation, in tables of these names. */
export interface GenerationOf {
  readonly projection: BoundProjection
  /** Default the one that is read. */
  readonly generation?: number
  readonly tables: readonly NamedTable[]
}

export async function openPostgresTable(
  pool: Pool,
  of: GenerationOf,
  partitions: readonly Place[],
): Promise<TableStorage> {
  const { projection, tables } = of
  const { generation, stored, parked, empty } = await transaction(pool, async (client) => {
    const generation = of.generation ?? (await holdGeneration(client, projection.name, 'SHARE'))?.generation ?? 1
    await beginCheckpoints(client, projection.name, generation, partitions)
    // Checkpoints before rows: rows that are newer than their checkpoint would be found out by the next commit, older ones would not.
    const stored = await lockCheckpoints(client, projection.name, generation, partitions)
    const parked = await readParked(client, { projection: projection.name, generation }, partitions)
    return {
      generation,
      stored,
      parked,
      empty: await areEmpty(
        client,
        tables.map(({ name }) => name),
      ),
    }
  })
  const letters = { projection: projection.name, generation }
  const checkpoints = new ClaimedCheckpoints(projection, generation, stored)
  const names = new Map(tables.map(({ table, name }) => [table, name]))
  const write = rowWriter(tables)

  return {
    checkpoints: checkpoints.all,
    parked,
    empty,
    async load({ table, columns, values }) {
      const text = selectBy(table, names.get(table)!, columns)
      const { rows } = await query(pool, { text, values: arraysOf(columns, values), ...asTexts })
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

/** Writes rows in two statements for each table: those to be deleted, and the others. */
type WriteRows = (client: ClientBase, rows: readonly ChangedRow[]) => Promise<void>

/** Writes rows of tables that are called so. */
export function rowWriter(tables: readonly NamedTable[]): WriteRows {
  const statements = tables.map(({ table, name }) => {
    return { table, write: upsert(table, name), remove: deleteByKeys(table, name) }
  })
  return async (client, rows) => {
    for (const { table, write, remove } of statements) {
      const own = statements.length === 1 ? rows : rows.filter((changed) => changed.table === table)
      const deletes = own.filter(({ row }) => row === undefined).map(({ key }) => key)
      const upserts = own.map(({ row }) => row).filter((row) => row !== undefined)
      if (deletes.length > 0) await client.query(remove, arraysOf(table.key, deletes))
      if (upserts.length > 0) await client.query(write, rowColumns(table, upserts))
    }
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

/** One array per column. */
function arraysOf(columns: readonly Column[], values: readonly (readonly unknown[])[]): Buffer[] {
  return columns.map(({ type }, i) =>
    binaryArray(
      type,
      values.map((some) => some[i]),
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
