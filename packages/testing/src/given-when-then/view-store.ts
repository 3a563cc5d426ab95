// Where the rows of a story are kept: in memory, or in a schema of its own in a database.
import { memoryReadModels, postgresReadModels, type ReadModels } from '@narrative/projections'
import pg from 'pg'
import { uniqueName } from '../services/unique-name.js'

/** A Postgres, such as what `startPostgres` gives. */
export interface PostgresAddress {
  /** Connection string of a database in which schemas may be created. */
  readonly url: string
}

/** Read models of one story. */
export interface ViewStore {
  readonly readModels: ReadModels
  /** Asks the database itself; undefined in memory. */
  readonly query: ((text: string) => Promise<readonly object[]>) | undefined
  /** Leaves nothing behind. */
  discard(): Promise<void>
}

export async function openViewStore(on: PostgresAddress | undefined): Promise<ViewStore> {
  if (on === undefined) return { readModels: memoryReadModels(), query: undefined, discard: async () => {} }
  // Tables are named without a schema everywhere, so stories side by side meet only in the lock of their setup.
  const schema = uniqueName('story')
  const pool = new pg.Pool({ connectionString: on.url, options: `-c search_path="${schema}"` })
  pool.on('error', () => {}) // of an idle connection: whoever needs it hears of it
  await pool.query(`CREATE SCHEMA "${schema}"`)
  return {
    readModels: postgresReadModels({ pool }),
    query: async (text) => (await pool.query(text)).rows,
    async discard() {
      await pool.query(`DROP SCHEMA "${schema}" CASCADE`)
      await pool.end()
    },
  }
}
