// A database of its own for each test of a file, and what a test leaves to be stopped.
import { silentLogger } from '@narrative/core'
import { type PostgresService, startPostgres } from '@narrative/testing'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'

export interface TestDatabase {
  /** Address of the server, not of the database. */
  readonly server: string
  readonly url: string
  readonly pool: pg.Pool
  /** Stops after the test, the last one first. */
  stopLater(stop: () => Promise<void>): void
}

/** Registers the hooks; call it once at the top of a file. */
export function databasePerTest(): TestDatabase {
  let postgres: PostgresService
  let url: string
  let pool: pg.Pool
  const stops: (() => Promise<void>)[] = []
  beforeAll(async () => {
    postgres = await startPostgres({ logger: silentLogger })
  })
  beforeEach(async () => {
    url = await postgres.createDatabase()
    pool = new pg.Pool({ connectionString: url })
    pool.on('error', () => {})
  })
  afterEach(async () => {
    for (const stop of stops.splice(0).reverse()) await stop()
    await pool.end()
  })
  afterAll(() => postgres.stop())
  return {
    get server() {
      return postgres.url
    },
    get url() {
      return url
    },
    get pool() {
      return pool
    },
    stopLater: (stop) => stops.push(stop),
  }
}
