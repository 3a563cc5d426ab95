// Postgres killed and started again under three projections: they pause together, one probe looks for it, and they go on together.
import { createConnection, createServer, type Server, type Socket } from 'node:net'
import { createApplication, inMemoryEventStore, type Logger, noValidation, silentLogger } from '@narrative/core'
import { type OwnPostgres, startPostgres } from '@narrative/testing'
import pg from 'pg'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { defineProjection, postgresReadModels, projections, type SqlProjectionContext, table } from '../index.js'
import { Order, OrderRepriced, RecordEvents } from './orders.test-support.js'

let postgres: OwnPostgres
let door: Door
beforeAll(async () => {
  postgres = await startPostgres({ own: true, logger: silentLogger })
  door = await openDoor(Number(new URL(postgres.url).port))
})
afterAll(async () => {
  door.server.close()
  await postgres.stop()
})

/** In front of Postgres: it sees who comes, and when. */
interface Door {
  readonly server: Server
  readonly arrivals: number[]
}

async function openDoor(port: number): Promise<Door> {
  const arrivals: number[] = []
  const server = createServer((near: Socket) => {
    arrivals.push(performance.now())
    const far = createConnection({ host: '127.0.0.1', port })
    near.pipe(far).pipe(near)
    for (const [one, other] of [[near, far] as const, [far, near] as const])
      one.on('error', () => {}).on('close', () => other.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { server, arrivals }
}

const tableOf = (name: string) => table(name, { key: 'orderId', columns: { orderId: 'text', events: 'integer' } })
const tables = [tableOf('first'), tableOf('second')]
let handled = 0
const views = [
  ...tables.map((target) =>
    defineProjection({
      ...{ name: target.name, from: [Order], table: target, onFailure: { retries: 0 } },
      on: {
        'order.repriced': (row, _event, { aggregateId }) => ({ orderId: aggregateId, events: (row?.events ?? 0) + 1 }),
      },
    }),
  ),
  defineProjection({
    ...{ name: 'third', from: [Order], onFailure: { retries: 0, action: 'stop' } },
    sql: { setup: 'CREATE TABLE third (order_id text)', reset: 'TRUNCATE third' },
    on: {
      'order.repriced': async (_event, { client, aggregateId }: SqlProjectionContext) => {
        handled++
        await client.query('INSERT INTO third VALUES ($1)', [aggregateId])
        if (handled % 5 === 0) await client.query('SELECT pg_sleep(0.05)')
      },
    },
  }),
]

test('nobody but one probe comes to its door, no event is counted as failed, and all go on by themselves', async () => {
  const database = await postgres.createDatabase()
  const url = new URL(database)
  url.port = String((door.server.address() as { port: number }).port)
  const said: string[] = []
  const logger: Logger = {
    ...silentLogger,
    error: (_fields, text) => said.push(text),
    warn: (_fields, text) => said.push(text),
  }
  const running = projections(views, { store: postgresReadModels({ url: url.href }) })
  const app = await createApplication({
    ...{ aggregates: [Order], validator: noValidation, logger, parts: [running], eventStore: inMemoryEventStore() },
  })
  let appended = 0
  const append = async () => {
    const command = new RecordEvents({ orderId: `o${appended % 7}`, events: [new OrderRepriced(1)] })
    appended++
    return (await app.commands.execute(command)).position!
  }
  for (let i = 0; i < 40; i++) await append()
  const killed = performance.now()
  await postgres.kill() // in the middle of their work
  for (let i = 0; i < 40; i++) await append()

  const paused = { state: 'paused', reason: expect.stringContaining('Postgres'), parked: 0 }
  await vi.waitFor(() => expect(running.status()).toMatchObject([paused, paused, paused]), 20_000)
  const from = performance.now()
  const saidBefore = said.length
  const seconds = 5
  await vi.waitUntil(() => performance.now() - from > seconds * 1000, { timeout: 20_000 })
  expect(app.health().reasons).toEqual(views.map(({ name }) => expect.stringContaining(`${name} is paused: Postgres`)))
  const during = door.arrivals.filter((at) => at > from).length
  // Pauses of 0.1 s at first, growing to 5 s: of three projections that try by themselves, and report, there were ten times as many.
  expect(during).toBeGreaterThan(0)
  expect(during).toBeLessThanOrEqual(6)
  expect(door.arrivals.filter((at) => at > killed && at <= from).length).toBeLessThanOrEqual(30)
  expect(said.filter((text) => text.startsWith('Projections pause'))).toHaveLength(1)
  // None of them wakes up to try by itself.
  expect(said.slice(saidBefore)).toEqual([])

  await postgres.restart()
  const last = await append()
  for (const { name } of views)
    await running.waitFor!(last, { readModel: views.find((view) => view.name === name)!, timeout: 30_000 })
  await running.ready()
  await vi.waitFor(() => expect(app.health()).toEqual({ ready: true, reasons: [] }), 20_000)
  expect(running.status()).toMatchObject(views.map(() => ({ state: 'running', parked: 0 })))
  const beside = new pg.Client({ connectionString: database })
  await beside.connect()
  const sums = [
    'SELECT sum(events)::int AS n FROM first',
    'SELECT sum(events)::int AS n FROM second',
    'SELECT count(*)::int AS n FROM third',
  ]
  await vi.waitFor(async () => {
    for (const sum of sums) expect((await beside.query(sum)).rows).toEqual([{ n: appended }])
  }, 20_000)
  await beside.end()
  await app.stop()
})
