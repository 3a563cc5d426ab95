import pg from 'pg'
import { afterEach, expect, test, vi } from 'vitest'
import { postgresAnswers } from './postgres-ping.js'
import { startPostgres } from './start-postgres.js'

afterEach(() => vi.unstubAllEnvs())

async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const connection = new pg.Client({ connectionString: url })
  await connection.connect()
  return connection
    .query(text)
    .then(({ rows }) => rows)
    .finally(() => connection.end())
}

test('a run shares one server, and each test has databases of its own', async () => {
  const postgres = await startPostgres()
  expect(postgres.source).toBe('environment')
  const [one, two] = await Promise.all([postgres.createDatabase(), postgres.createDatabase()])
  await query(one, 'CREATE TABLE orders (id text)')
  expect(await query(two, "SELECT to_regclass('orders') AS found")).toEqual([{ found: null }])

  // Dropped although somebody is still connected.
  const lingering = new pg.Client({ connectionString: one })
  lingering.on('error', () => {})
  await lingering.connect()
  await postgres.stop()
  expect(await postgresAnswers(one)).toBe(false)
  expect(await postgresAnswers(postgres.url)).toBe(true)
  await lingering.end()
})

test('two servers can be started at once, with settings of their own', async () => {
  vi.stubEnv('NARRATIVE_DATABASE_URL', '')
  const [one, two] = await Promise.all([startPostgres({ settings: { max_connections: '7' } }), startPostgres()])
  expect(await query(one.url, 'SHOW max_connections')).toEqual([{ max_connections: '7' }])
  expect(await query(two.url, 'SHOW fsync')).toEqual([{ fsync: 'on' }])
  expect(await query(await two.createDatabase(), 'SELECT 1 AS one')).toEqual([{ one: 1 }])
  await Promise.all([one.stop(), two.stop()])
  expect(await postgresAnswers(one.url)).toBe(false)
  expect(await postgresAnswers(two.url)).toBe(false)
})

test('one of its own is killed and comes back at the same address, with what was committed', async () => {
  const own = await startPostgres({ own: true })
  expect(own.source).toBe('local')
  const database = await own.createDatabase()
  await query(database, 'CREATE TABLE orders AS SELECT 1 AS id')
  await own.kill()
  expect(await postgresAnswers(own.url)).toBe(false)
  await own.restart()
  expect(await query(database, 'SELECT id FROM orders')).toEqual([{ id: 1 }])
  await own.stop()
})
