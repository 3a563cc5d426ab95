// Read models in Postgres: tables made from their declarations, and checkpoints that move in the same transaction.
import type { Logger } from '@narrative/core'
import type { Pool, PoolConfig } from 'pg'
import { tablesOf } from '../definition/projection-definition.js'
import type { ReadModels } from '../runtime/read-models.js'
import { toKey } from '../table/row.js'
import type { RowOf, Table } from '../table/table.js'
import { type ReaderOf, toSearch } from '../table/table-reader.js'
import { binaryArray } from './binary-array.js'
import { createRuntimeTables, lockSchema, readCheckpoints } from './checkpoints.js'
import { postgresDeadLetters } from './dead-letter-table.js'
import { currentGeneration, setGeneration } from './generations.js'
import { type GuardedPool, guardPool } from './guarded-pool.js'
import { inspectPostgres } from './inspect-postgres.js'
import { buildPostgresTable, switchBackPostgresTable } from './postgres-build.js'
import { postgresControl } from './postgres-control.js'
import { openPostgresSql, rebuildPostgresSql } from './postgres-sql.js'
import { buildPostgresSql, switchBackPostgresSql } from './postgres-sql-build.js'
import { openPostgresTable } from './postgres-table.js'
import { replaceRow } from './replace-row.js'
import { resetView } from './reset-view.js'
import { setupTables } from './table-setup.js'
import { asTexts, count, find, fromTexts, selectBy } from './table-statements.js'
import { query, transaction } from './transaction.js'

/** Where Postgres is: a connection string, or a pool of yours (which stays yours to end). */
export type PostgresReadModelsOptions =
  | { readonly url: string; readonly maxConnections?: number }
  | { readonly pool: Pool }

/**
 * Keeps read models in Postgres.
 *
 * @example
 * ```ts
 * projections([OrdersView], { store: postgresReadModels({ url: process.env.DATABASE_URL }) })
 * ```
 */
export function postgresReadModels(options: PostgresReadModelsOptions): ReadModels {
  let opened: Promise<Pool> | undefined
  let guarded: GuardedPool | undefined
  let log: Logger | undefined
  const pool = async (): Promise<Pool> => {
    opened ??= openPool(options, () => log)
    guarded ??= guardPool(await opened, () => log)
    return guarded.pool
  }

  return {
    name: 'postgres',
    sql: true,
    get breaker() {
      return guarded?.breaker
    },
    async setup(projections, logger) {
      log = logger
      return await transaction(await pool(), async (client) => {
        await lockSchema(client)
        await createRuntimeTables(client)
        const faults: string[] = []
        for (const projection of projections) {
          if (tablesOf(projection.target).length > 0) faults.push(...(await setupTables(client, projection)))
          if (projection.target.kind !== 'sql') continue
          await client.query(projection.target.schema.setup)
          if ((await currentGeneration(client, projection.name)) === undefined)
            await setGeneration(client, projection.name, { generation: 1, tableNames: [], kept: undefined })
        }
        return faults
      })
    },
    inspect: async (projections) => inspectPostgres(await pool(), projections),
    reader: (table) => postgresReader(pool, table),
    async openTable(projection, partitions) {
      const tables = tablesOf(projection.target).map((table) => ({ table, name: table.name }))
      return openPostgresTable(await pool(), { projection, tables }, partitions)
    },
    buildTable: async (projection, build) => buildPostgresTable(await pool(), projection, build),
    rebuildRow: async (projection, table, key, rowAt) => replaceRow(await pool(), projection, table, key, rowAt),
    reset: async (projection) => resetView(await pool(), projection),
    control: postgresControl(pool),
    async switchBack(projection) {
      const back = projection.target.kind === 'sql' ? switchBackPostgresSql : switchBackPostgresTable
      await back(await pool(), projection)
    },
    openSql: (projection) => async (partitions, listener, suspects) =>
      openPostgresSql(await pool(), projection)(partitions, listener, suspects),
    checkpoints: async (projection) => readCheckpoints(await pool(), projection.name),
    letters: (projection) => postgresDeadLetters(pool, projection.name),
    buildSql: async (projection, build) => buildPostgresSql(await pool(), projection, build),
    async rebuildSql(projection, replay) {
      if (projection.target.kind !== 'sql') throw new TypeError(`Projection ${projection.name} has no SQL of its own.`)
      await rebuildPostgresSql(await pool(), projection, projection.target.schema.reset, replay)
    },
    async close() {
      guarded?.breaker.end()
      if (!('pool' in options)) await (await opened)?.end()
      opened = undefined
      guarded = undefined
    },
  }
}

/** `pg` is loaded when it is needed: who keeps read models in memory does not have to install it. */
async function openPool(options: PostgresReadModelsOptions, log: () => Logger | undefined): Promise<Pool> {
  if ('pool' in options) return options.pool
  const { default: pg } = await import('pg')
  const config: PoolConfig = {
    connectionString: options.url,
    max: options.maxConnections ?? 10,
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
    application_name: 'narrative',
  }
  const pool = new pg.Pool(config)
  // An idle connection that breaks is replaced when it is needed; without a listener it would end the process.
  pool.on('error', (error) => log()?.debug({ error }, 'An idle Postgres connection broke'))
  return pool
}

function postgresReader<T extends Table>(pool: () => Promise<Pool>, table: T): ReaderOf<T> {
  const byKey = selectBy(table, table.name)
  const toRows = (rows: readonly (string | null)[][]) => rows.map((texts) => fromTexts(table, texts) as RowOf<T>)
  return {
    async findByKey(key) {
      const values = toKey(table, key).map((value, i) => binaryArray(table.key[i]!.type, [value]))
      return toRows((await query(await pool(), { text: byKey, values, ...asTexts })).rows)[0]
    },
    async findWhere(where, options) {
      const statement = find(table, toSearch(table, where, options))
      return toRows((await query(await pool(), { ...statement, ...asTexts })).rows)
    },
    async count(where = {}) {
      const { rows } = await query(await pool(), count(table, toSearch(table, where)))
      return Number(rows[0].count)
    },
  }
}
