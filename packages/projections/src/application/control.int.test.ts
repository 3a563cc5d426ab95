// Looking after projections from another process: only Postgres and the log are shared with it.
import {
  createApplication,
  type EventLog,
  inMemoryEventStore,
  isNarrativeError,
  noValidation,
  silentLogger,
} from '@narrative/core'
import { beforeEach, expect, test, vi } from 'vitest'
import {
  defineProjection,
  type FailurePolicy,
  memoryReadModels,
  postgresReadModels,
  projections,
  type ReadModels,
  table,
} from '../index.js'
import { partContext } from '../runtime/history.test-support.js'
import { databasePerTest } from './database.test-support.js'
import { Order, OrderPlaced, RecordEvents } from './orders.test-support.js'

const database = databasePerTest()

const totals = table('totals', { key: 'orderId', columns: { orderId: 'text', total: 'bigint' } })
const trouble = { broken: false, brokenBelow: 0, handled: 0 }
const stopping = { retries: 0, action: 'stop' } as const
const viewThat = (onFailure: Partial<FailurePolicy>) =>
  defineProjection({
    ...{ name: 'totals', from: [Order], table: totals, onFailure },
    on: {
      'order.placed': (_row, event: OrderPlaced, { aggregateId }) => {
        trouble.handled++
        if (trouble.broken || event.total < trouble.brokenBelow) throw new Error('Broken.')
        return { orderId: aggregateId, total: event.total }
      },
    },
  })
const view = viewThat(stopping)
beforeEach(() => Object.assign(trouble, { broken: false, brokenBelow: 0, handled: 0 }))

async function service(
  store: ReadModels = postgresReadModels({ url: database.url }),
  onFailure: Partial<FailurePolicy> = stopping,
) {
  const views = projections([viewThat(onFailure)], { store })
  const common = { eventStore: inMemoryEventStore(), validator: noValidation, logger: silentLogger }
  const app = await createApplication({ ...common, aggregates: [Order], parts: [views] })
  database.stopLater(() => app.stop())
  const place = async (orderId: string, total: number) => {
    const events = [new OrderPlaced('', 'ada', [], total)]
    return (await app.commands.execute(new RecordEvents({ orderId, events }))).position!
  }
  const applied = (position: Awaited<ReturnType<typeof place>>, timeout = 10_000) =>
    views.waitFor!(position, { timeout })
  return { app, views, place, applied, reader: store.reader(totals) }
}

async function beside(eventLog: EventLog) {
  const views = projections([view], { store: postgresReadModels({ url: database.url }), follow: false })
  expect(views.prepare(partContext())).toEqual([])
  await views.start(eventLog)
  database.stopLater(() => views.stop())
  return views
}

test('paused from elsewhere, workers stand still, also after a restart; resumed, they go on', async () => {
  const { app, views, place, applied } = await service()
  const tool = await beside(app.eventLog)
  await applied(await place('a', 1))
  await tool.pause('totals')
  await vi.waitFor(() => expect(views.status()).toMatchObject([{ state: 'paused' }]), 20_000)
  expect(app.health()).toEqual({ ready: false, reasons: ['Projection totals is paused.'] })
  const position = await place('b', 2)
  await expect(applied(position, 300)).rejects.toMatchObject({ code: 'READ_MODEL_BEHIND' })
  const paused = await tool.overview('totals')
  expect(paused).toMatchObject({ paused: true, lag: { events: 1 }, parked: 0, generation: 1, rebuild: undefined })
  expect(paused.lag.seconds).toBeGreaterThan(0)
  await vi.waitFor(async () => {
    expect((await tool.overview('totals')).workers).toMatchObject([{ state: 'paused', partitions: 4 }])
  }, 20_000)

  await tool.resume('totals')
  await applied(position)
  expect(await tool.overview('totals')).toMatchObject({ paused: false, lag: { events: 0, seconds: 0 } })
  await app.stop()
  expect((await database.pool.query('SELECT * FROM narrative_workers')).rows).toEqual([])
})

test('a projection that has stopped says why to everybody, and tries again when it is resumed', async () => {
  const { app, views, place } = await service()
  const tool = await beside(app.eventLog)
  trouble.broken = true
  const position = await place('a', 1)
  await vi.waitFor(() => expect(views.status()).toMatchObject([{ state: 'stopped' }]), 20_000)
  await vi.waitFor(async () => {
    const { workers, parked } = await tool.overview('totals')
    expect(workers).toMatchObject([{ state: 'stopped', reason: expect.stringContaining('Broken') }])
    expect(parked).toBe(1)
  }, 20_000)
  trouble.broken = false
  await tool.resume('totals')
  await vi.waitFor(() => expect(views.status()).toMatchObject([{ state: 'running', parked: 0 }]), 20_000)
  await views.waitFor!(position, { timeout: 20_000 })
  expect((await database.pool.query('SELECT order_id FROM totals')).rows).toEqual([{ order_id: 'a' }])
})

const stores: [string, () => ReadModels][] = [
  ['memory', () => memoryReadModels()],
  ['postgres', () => postgresReadModels({ url: database.url })],
]

test.each(stores)(
  'reset, a view is filled again from offset 0 although nothing new happens, on %s',
  async (kind, open) => {
    const { app, views, place, applied, reader } = await service(open())
    for (let i = 0; i < 10; i++) await applied(await place(`o${i}`, i))
    expect(trouble.handled).toBe(10)
    await (kind === 'memory' ? views : await beside(app.eventLog)).reset('totals')
    await vi.waitFor(async () => expect(trouble.handled).toBe(20), 20_000)
    await vi.waitFor(async () => expect(await reader.count()).toBe(10), 20_000)
    expect(await views.overview('totals')).toMatchObject({ lag: { events: 0 }, generation: 1 })
  },
)

test('a rebuild is seen and cancelled from elsewhere; so is one that was left behind', async () => {
  const { app, views, place, applied, reader } = await service()
  for (let i = 0; i < 50; i++) await applied(await place(`o${i}`, i))
  const tool = await beside(app.eventLog)
  expect(await tool.cancelRebuild('totals')).toBe(false)
  const rebuilding = views.rebuild('totals', { eventsPerSecond: 10 }).catch((error: unknown) => error)
  await vi.waitFor(async () => {
    const { rebuild } = await tool.overview('totals')
    expect(rebuild).toMatchObject({ generation: 2, partitions: { length: 4 } })
    expect(rebuild!.events).toBeGreaterThan(0)
    expect(rebuild!.secondsLeft).toBeGreaterThan(0)
  }, 20_000)
  expect(await tool.cancelRebuild('totals')).toBe(true)
  expect(isNarrativeError(await rebuilding, 'REBUILD_CANCELLED')).toBe(true)
  expect(await reader.count()).toBe(50)
  expect((await tool.overview('totals')).rebuild).toBeUndefined()

  trouble.broken = true
  await expect(views.rebuild('totals')).rejects.toMatchObject({ code: 'PROJECTION_STOPPED' })
  expect((await tool.overview('totals')).rebuild).toMatchObject({ generation: 2 })
  expect(await tool.cancelRebuild('totals')).toBe(true)
  expect((await database.pool.query(`SELECT to_regclass('totals__g2') AS name`)).rows).toEqual([{ name: null }])
  trouble.broken = false
  await views.rebuild('totals', { keepOld: true })
  expect(await tool.overview('totals')).toMatchObject({ generation: 2, kept: 1 })
  await tool.switchBack('totals')
  expect(await tool.overview('totals')).toMatchObject({ generation: 1, kept: 2 })
})

test.each(stores)(
  'what a rebuild under way has parked is seen, as its own, and can be redriven there, on %s',
  async (kind, open) => {
    const { app, views, place, applied, reader } = await service(open(), { retries: 0 })
    const positions = []
    for (let i = 0; i < 30; i++) positions.push(await place(`o${i % 3}`, i))
    for (const position of positions) await applied(position)
    trouble.broken = true
    const parked = await place('o1', 100)
    await expect(applied(parked)).rejects.toMatchObject({ code: 'EVENT_PARKED' })
    const letters = (kind === 'memory' ? views : await beside(app.eventLog)).deadLetters('totals')
    trouble.brokenBelow = 3
    trouble.broken = false
    const rebuilding = views.rebuild('totals', { eventsPerSecond: 5 })
    await vi.waitFor(async () => {
      const listed = await letters.list()
      expect(listed[0]).toMatchObject({ generation: 1, building: false, event: { position: parked } })
      expect(listed.slice(1)).toContainEqual(expect.objectContaining({ generation: 2, building: true, attempts: 1 }))
      expect(await letters.count()).toBe(listed.length)
    }, 20_000)
    const building = (await letters.list()).find((letter) => letter.building)!
    // Parked in the making of the next view, it is in the one that is read.
    await applied(building.event.position)
    if (kind === 'postgres') {
      const overview = await views.overview('totals')
      expect(overview).toMatchObject({ parked: 1, rebuild: { generation: 2 } })
      expect(overview.rebuild!.parked).toBeGreaterThan(0)
    }
    trouble.brokenBelow = 0
    const limit = { timeout: 20_000, interval: 50 }
    await vi.waitFor(async () => {
      await letters.ask('redrive', 'all')
      expect(await letters.count()).toBe(0)
    }, limit)
    await rebuilding
    expect(await letters.list()).toEqual([])
    expect(await reader.findByKey('o1')).toMatchObject({ total: 100 })
    expect(await reader.findByKey('o2')).toMatchObject({ total: 29 })
  },
)

test.each(stores)('a rebuild that stops at the last event of all is not put in place, on %s', async (_kind, open) => {
  const { views, place, applied, reader } = await service(open())
  await applied(await place('a', 0))
  trouble.brokenBelow = 1
  await expect(views.rebuild('totals')).rejects.toMatchObject({ code: 'PROJECTION_STOPPED' })
  expect(await reader.findByKey('a')).toMatchObject({ total: 0 })
  expect((await views.overview('totals')).generation).toBe(1)
})
