// A database of its own for each test of a file, or for the file; and what a test leaves to be stopped.
import { silentLogger } from '@narrative/core'
import { type PostgresService, startPostgres } from '@narrative/testing'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'

export interface FileDatabase {
  readonly url: string
  readonly pool: pg.Pool
}

export interface TestDatabase extends FileDatabase {
  /** Address of the server, not of the database. */
  readonly server: string
  /** Stops after the test, the last one first. */
  stopLater(stop: () => Promise<void>): void
}

/** Registers the hooks; call it once at the top of a file. Its tests share the database. */
export function databasePerFile(): FileDatabase {
  return databaseOn(serverOfFile(), beforeAll, afterAll)
}

/** Registers the hooks; call it once at the top of a file. */
export function databasePerTest(): TestDatabase {
  const server = serverOfFile()
  const database = databaseOn(server, beforeEach, afterEach)
  const stops: (() => Promise<void>)[] = []
  // Before the database goes: hooks that end a test run in the reverse order of their registration.
  afterEach(async () => {
    for (const stop of stops.splice(0).reverse()) await stop()
  })
  return {
    get server() {
      return server().url
    },
    get url() {
      return database.url
    },
    get pool() {
      return database.pool
    },
    stopLater: (stop) => stops.push(stop),
  }
}

function serverOfFile(): () => PostgresService {
  let postgres: PostgresService
  beforeAll(async () => {
    postgres = await startPostgres({ logger: silentLogger })
  })
  afterAll(() => postgres.stop())
  return () => postgres
}

function databaseOn(
  server: () => PostgresService,
  before: (hook: () => Promise<void>) => void,
  after: (hook: () => Promise<void>) => void,
): FileDatabase {
  let url: string
  let pool: pg.Pool
  before(async () => {
    url = await server().createDatabase()
    pool = new pg.Pool({ connectionString: url })
    pool.on('error', () => {})
  })
  after(() => pool.end())
  return {
    get url() {
      return url
    },
    get pool() {
      return pool
    },
  }
}
