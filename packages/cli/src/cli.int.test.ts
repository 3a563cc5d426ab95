// Beside a service on Kafka and Postgres: what is shown is what is there, and the service does not notice.
import { type Application, createApplication, silentLogger } from '@narrative/core'
import { kafkajsDriver } from '@narrative/kafka-eventstore'
import { type Projections, postgresReadModels, projections, type ReaderOf } from '@narrative/projections'
import { type KafkaService, type PostgresService, startKafka, startPostgres, uniqueName } from '@narrative/testing'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { CancelOrder, PlaceOrder } from '../fixtures/shop/order.js'
import { OrdersView, orders } from '../fixtures/shop/orders-view.js'
import { recordsIn } from './cli.test-support.js'
import { CliProcess, narrativeProcess } from './cli-process.test-support.js'
import { shopOn } from './commands/shop.test-support.js'

const patience = { timeout: 30_000 }
const context = uniqueName('cli')
const topic = `${context}.order.events`
let kafka: KafkaService
let postgres: PostgresService
let app: Application
let views: Projections
let env: Record<string, string>

beforeAll(async () => {
  kafka = await startKafka()
  postgres = await startPostgres()
  const url = await postgres.createDatabase()
  env = { SHOP_BROKERS: kafka.brokers.join(','), SHOP_DATABASE: url, SHOP_CONTEXT: context }
  const { eventStore, aggregates, modules } = shopOn(kafka.brokers, context)
  views = projections([OrdersView], { store: postgresReadModels({ url }) })
  app = await createApplication({ eventStore, aggregates, modules, parts: [views], logger: silentLogger })
  await app.commands.execute(new PlaceOrder({ orderId: '1', total: 10 }))
  await app.commands.execute(new PlaceOrder({ orderId: '2', total: 20 }))
  await app.commands.execute(new CancelOrder({ orderId: '1' }))
})
afterAll(async () => {
  await app?.stop()
  await postgres?.stop()
  await kafka?.stop()
})

const run = async (...args: string[]) => {
  const ended = await narrativeProcess(args, { env })
  return { ...ended, records: args.includes('--json') ? recordsIn(ended) : [] }
}

test('streams are read beside their owner, and it serves on under the same claim', async () => {
  const records = async () => (await app.eventLog.partitions('order')).reduce((sum, { end }) => sum + end, 0)
  const before = await records()
  const list = await run('streams', 'list', '--json')
  expect(list.records.map(({ streamId, version }) => [streamId, version])).toEqual([
    ['order-1', 2],
    ['order-2', 1],
  ])
  const read = await run('streams', 'read', 'order-1', '--json')
  expect(read.records.map(({ type }) => type)).toEqual(['order.placed', 'order.cancelled'])
  const state = await run('streams', 'state', 'order-1', '--as-of', '1', '--json')
  expect(state.records).toMatchObject([{ version: 1, state: { status: 'placed' } }])
  await app.commands.execute(new CancelOrder({ orderId: '2' }))
  expect((await run('streams', 'state', 'order-2', '--json')).records).toMatchObject([{ version: 2 }])
  expect(await records()).toBe(before + 1) // and no claim
  expect(app.health().reasons).toEqual([])
})

test('a tail shows what is appended while it runs', async () => {
  const tail = new CliProcess(['events', 'tail', 'order', '--type', 'order.placed', '--limit', '2', '--json'], { env })
  // Where "the end" was when it began nobody says; so something is appended until it shows.
  for (let n = 0; tail.out === ''; n++) {
    await app.commands.execute(new PlaceOrder({ orderId: `tail-${n}`, total: 1 }))
    if (n > 1_000) throw new Error(`The tail showed nothing. ${tail.err}`)
  }
  await app.commands.execute(new PlaceOrder({ orderId: 'last', total: 1 }))
  expect({ code: await tail.ended, err: tail.err }).toEqual({ code: 0, err: '' })
  expect(recordsIn(tail).map(({ type }) => type)).toEqual(['order.placed', 'order.placed'])
})

test('a tail begins at a position in the middle of the log', async () => {
  const all = (await run('events', 'tail', '--from', 'start', '--no-follow', '--stream', 'order-1', '--json')).records
  const { records } = await run('events', 'tail', '--from', all[1].position, '--no-follow', '--limit', '1', '--json')
  expect(records).toEqual([all[1]])
})

test('doctor: everything is there; and a topic that would lose events is a fault, with the remedy', async () => {
  const healthy = await run('doctor', '--json')
  expect({ code: healthy.code, err: healthy.err }).toEqual({ code: 0, err: '' })
  expect(healthy.records.map(({ state, subject }) => `${state} ${subject}`)).toEqual(
    expect.arrayContaining(['ok Kafka', `warning topic ${topic}`, 'ok Postgres', 'ok table orders']),
  )
  const other = uniqueName('cli')
  const driver = kafkajsDriver({ brokers: kafka.brokers })
  await driver.connect()
  const settings = { 'cleanup.policy': 'compact' }
  await driver.createTopic({ name: `${other}.order.events`, partitions: 1, replicationFactor: 1, settings })
  await driver.close()
  const faulty = await narrativeProcess(['doctor'], { env: { ...env, SHOP_CONTEXT: other } })
  expect(faulty.code).toBe(3)
  expect(faulty.out).toContain(`kafka-configs --alter --entity-type topics --entity-name ${other}.order.events`)
})

test('doctor: tables that are not as declared, and a database that is not there, are faults', async () => {
  const url = await postgres.createDatabase()
  const doctor = async (database: string) => {
    const ended = await narrativeProcess(['doctor', '--json'], { env: { ...env, SHOP_DATABASE: database } })
    return { code: ended.code, records: recordsIn(ended) }
  }
  const fresh = await doctor(url)
  expect(fresh.code).toBe(0)
  expect(fresh.records).toContainEqual(expect.objectContaining({ state: 'warning', subject: 'table orders' }))
  const { aggregates, modules } = shopOn(kafka.brokers, context)
  const store = postgresReadModels({ url })
  const started = await createApplication({ aggregates, modules, parts: [projections([OrdersView], { store })] })
  await started.stop()
  const client = new pg.Client(url)
  await client.connect()
  await client.query('ALTER TABLE orders ADD COLUMN colour text')
  await client.end()
  const changed = await doctor(url)
  expect(changed.code).toBe(3)
  expect(changed.records).toContainEqual(
    expect.objectContaining({ state: 'fault', detail: expect.stringContaining('column colour is not declared') }),
  )
  const nowhere = await doctor('postgres://127.0.0.1:1/shop')
  expect(nowhere.code).toBe(3)
  expect(nowhere.records).toContainEqual(expect.objectContaining({ state: 'fault', subject: 'Postgres' }))
})

test('a read model is rebuilt beside the service, which goes on', async () => {
  const { code, err, records } = await run('projections', 'rebuild', 'orders-view', '--json')
  expect({ code, err }).toEqual({ code: 0, err: '' })
  const last = records.at(-1)
  expect(last).toMatchObject({ projection: 'orders-view', done: true, secondsLeft: 0 })
  expect(last.events).toBe(last.total)
  const { position } = await app.commands.execute(new PlaceOrder({ orderId: 'after', total: 5 }))
  await views.waitFor!(position!, { readModel: OrdersView, timeout: 20_000 })
  expect(await app.container.get<ReaderOf<typeof orders>>(orders.reader).findByKey('after')).toMatchObject({ total: 5 })
})

const status = async () => (await run('projections', 'status', '--json')).records[0]

test('projections status: level with the log, or never started', async () => {
  await expect.poll(async () => (await status()).condition, patience).toBe('level')
  const level = await run('projections', 'status', '--json')
  expect(level).toMatchObject({ code: 0, err: '' })
  expect(level.records).toMatchObject([
    {
      projection: 'orders-view',
      condition: 'level',
      lag: { events: 0, seconds: 0 },
      parked: 0,
      workers: [{ state: 'running' }],
    },
  ])
  const elsewhere = { ...env, SHOP_DATABASE: await postgres.createDatabase() }
  const never = await narrativeProcess(['projections', 'status', '--json'], { env: elsewhere })
  expect(never.code).toBe(3)
  expect(recordsIn(never)).toMatchObject([{ projection: 'orders-view', condition: 'never started', generation: 0 }])
  expect(recordsIn(never)[0].lag.events).toBeGreaterThan(0)
  expect(recordsIn(never)[0].lag.seconds).toBeGreaterThan(0)
  expect((await narrativeProcess(['projections', 'pause', 'orders-view'], { env: elsewhere })).code).toBe(3)
})

test('a projection stands still while it is paused, and goes on', async () => {
  expect(await run('projections', 'pause', 'orders-view')).toMatchObject({ code: 0, err: '' })
  await expect.poll(async () => (await status()).workers[0]?.state, patience).toBe('paused')
  const { position } = await app.commands.execute(new PlaceOrder({ orderId: 'paused', total: 1 }))
  expect(await status()).toMatchObject({ condition: 'paused', paused: true, lag: { events: 1 } })
  expect((await run('projections', 'resume', 'orders-view')).code).toBe(0)
  await views.waitFor!(position!, { readModel: OrdersView, timeout: 20_000 })
  await expect.poll(async () => (await status()).condition, patience).toBe('level')
})

test('a rebuild is watched by one process and cancelled by another', async () => {
  const slow = new CliProcess(['projections', 'rebuild', 'orders-view', '--events-per-second', '1', '--json'], { env })
  await expect.poll(async () => (await status()).rebuild, patience).toBeDefined()
  const watching = new CliProcess(['projections', 'rebuild', 'orders-view', '--watch', '--json'], { env })
  await expect.poll(() => recordsIn(watching)[0], patience).toMatchObject({ projection: 'orders-view', done: false })
  expect((await run('projections', 'cancel', 'orders-view')).code).toBe(0)
  expect(await slow.ended).toBe(1)
  expect(slow.err).toContain('REBUILD_CANCELLED')
  expect(await watching.ended).toBe(3)
  expect((await run('projections', 'cancel', 'orders-view')).code).toBe(3)
  expect((await run('projections', 'rebuild', 'orders-view', '--watch')).code).toBe(3)
})

test('the read model before a rebuild comes back; and one is emptied and filled again', async () => {
  const reader = app.container.get<ReaderOf<typeof orders>>(orders.reader)
  const count = await reader.count()
  expect((await run('projections', 'switch-back', 'orders-view')).code).toBe(3)
  expect((await run('projections', 'rebuild', 'orders-view', '--keep-old')).code).toBe(0)
  const { generation, kept } = await status()
  expect(kept).toBe(generation - 1)
  expect((await run('projections', 'switch-back', 'orders-view')).code).toBe(0)
  expect((await status()).kept).not.toBe(kept)
  expect(await run('projections', 'reset', 'orders-view')).toMatchObject({ code: 0, err: '' })
  await expect.poll(() => reader.count(), patience).toBe(count)
})

test('dead letters: seen, looked at, applied again when the cause is gone; or forgotten', async () => {
  OrdersView.unlucky = 13
  for (const orderId of ['sick', 'doomed']) {
    await app.commands.execute(new PlaceOrder({ orderId, total: 13 }))
    await app.commands.execute(new CancelOrder({ orderId }))
  }
  const parked = async () => (await run('dead-letters', 'list', '--json')).records
  await expect.poll(async () => (await parked()).length, patience).toBe(4)
  expect(await parked()).toEqual(
    expect.arrayContaining([
      expect.objectContaining({
        key: 'sick',
        attempts: 1,
        failure: expect.objectContaining({ message: '13 is unlucky' }),
      }),
      expect.objectContaining({ key: 'sick', attempts: 0, failure: null }),
    ]),
  )
  const unwell = await run('projections', 'status')
  expect(unwell.code).toBe(3)
  expect(unwell.err).toContain('orders-view has 4 dead letters')
  const { position } = (await parked()).find(({ key, attempts }) => key === 'sick' && attempts === 1)
  const shown = await run('dead-letters', 'show', 'orders-view', position)
  expect(shown.out).toMatch(/handler .*OrdersView\.placed\nwhy .*13 is unlucky/)

  OrdersView.unlucky = undefined
  const redriven = await run('dead-letters', 'redrive', 'orders-view', '--key', 'sick', '--json')
  expect(redriven).toMatchObject({ code: 0, records: [{ projection: 'orders-view', wish: 'redrive', letters: 2 }] })
  expect((await run('dead-letters', 'skip', 'orders-view', '--key', 'doomed')).code).toBe(0)
  await expect.poll(async () => (await parked()).length, patience).toBe(0)
  const row = app.container.get<ReaderOf<typeof orders>>(orders.reader)
  expect(await row.findByKey('sick')).toMatchObject({ status: 'cancelled', total: 13 })
  expect(await row.findByKey('doomed')).toBeUndefined()

  expect(await run('dead-letters', 'list')).toMatchObject({ code: 0, out: '' })
  expect((await run('dead-letters', 'redrive', 'orders-view', '--all')).code).toBe(3)
  expect((await run('dead-letters', 'show', 'orders-view', position)).code).toBe(3)
})
