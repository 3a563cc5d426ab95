// Rebuilding at length: shared by processes, interrupted and resumed, at a pace, and back to the old view.
import { createApplication, type EventLog, inMemoryEventStore, noValidation, silentLogger } from '@narrative/core'
import { expect, test, vi } from 'vitest'
import {
  defineProjection,
  memoryReadModels,
  type ProjectionContext,
  postgresReadModels,
  projections,
  type ReadModels,
  type RebuildProgress,
  table,
} from '../index.js'
import { partContext } from '../runtime/history.test-support.js'
import { databasePerTest } from './database.test-support.js'
import { Order, OrderPlaced, RecordEvents } from './orders.test-support.js'

const database = databasePerTest()

const totals = table('totals', { key: 'orderId', columns: { orderId: 'text', total: 'bigint' } })
type Handle = (event: OrderPlaced, context: ProjectionContext) => number

/** The view of one release: what it makes of an order's total. */
function totalsBy(total: Handle) {
  return defineProjection({
    ...{ name: 'totals', from: [Order], table: totals, onFailure: { retries: 0, action: 'stop' as const } },
    on: {
      'order.placed': (_row, event: OrderPlaced, context) => ({
        orderId: context.aggregateId,
        total: total(event, context),
      }),
    },
  })
}

/** An application with a hundred orders in its log. */
async function shop(store: ReadModels) {
  const eventStore = inMemoryEventStore()
  const view = totalsBy((event) => event.total)
  const views = projections([view], { store })
  const app = await createApplication({
    ...{ aggregates: [Order], eventStore, validator: noValidation, logger: silentLogger, parts: [views] },
  })
  database.stopLater(() => app.stop())
  const place = async (orderId: string, total: number) => {
    const events = [new OrderPlaced('', 'ada', [], total)]
    const { position } = await app.commands.execute(new RecordEvents({ orderId, events }))
    await views.waitFor!(position!, { timeout: 20_000 })
  }
  for (let i = 0; i < 100; i++) await place(`o${i}`, i)
  return { app, views, place, reader: store.reader(totals) }
}

/** A process with the next release, that only rebuilds. */
async function tool(eventLog: EventLog, total: Handle) {
  const views = projections([totalsBy(total)], { store: postgresReadModels({ url: database.url }), follow: false })
  expect(views.prepare(partContext())).toEqual([])
  await views.start(eventLog)
  database.stopLater(() => views.stop())
  return views
}

/** The log of so many processes of one service: when all have come, the partitions go round among those who share. */
function sharedLog(log: EventLog, processes: number): EventLog {
  let allCame = () => {}
  const allHere = new Promise<void>((resolve) => {
    allCame = resolve
  })
  const members: ((members: number, index: number) => void)[] = []
  const shareOut = () => {
    for (const [index, assign] of members.entries()) assign(members.length, index)
  }
  return {
    partitions: (category) => log.partitions(category),
    subscribe: (options) => log.subscribe(options),
    async share({ categories, onAssigned }) {
      const all = (await Promise.all(categories.map((category) => log.partitions(category)))).flat()
      const assign = (count: number, index: number) => onAssigned(all.filter((_, i) => i % count === index))
      members.push(assign)
      if (members.length === processes) allCame()
      await allHere
      shareOut()
      return {
        async leave() {
          members.splice(members.indexOf(assign), 1)
          shareOut()
        },
      }
    },
  }
}

test('several processes share a rebuild, and all of them return when the new view is in place', async () => {
  const { app, reader } = await shop(postgresReadModels({ url: database.url }))
  const log = sharedLog(app.eventLog, 3)
  const byTool = [new Set<number>(), new Set<number>(), new Set<number>()]
  const tools = await Promise.all(
    byTool.map((seen) =>
      tool(log, (event, { position }) => {
        seen.add(position.partition)
        return event.total * 2
      }),
    ),
  )
  const done = await Promise.all(tools.map((views) => views.rebuild('totals', { eventsPerSecond: 200 })))
  expect(await reader.findByKey('o7')).toEqual({ orderId: 'o7', total: 14 })
  expect(await reader.count()).toBe(100)
  expect(byTool.filter((seen) => seen.size > 0).length).toBeGreaterThan(1)
  for (const { secondsLeft } of done) expect(secondsLeft).toBe(0)
})

test('an interrupted rebuild is resumed where it was, when that is wanted', async () => {
  const { app, reader } = await shop(postgresReadModels({ url: database.url }))
  let applied: string[] = []
  let broken = true
  const views = await tool(app.eventLog, (event, { eventId, position }) => {
    if (broken && position.partition === 1 && position.offset > 5) throw new Error('Out of order.')
    applied.push(eventId)
    return event.total + 1000
  })
  await expect(views.rebuild('totals')).rejects.toMatchObject({ code: 'PROJECTION_STOPPED' })
  expect(await reader.findByKey('o7')).toEqual({ orderId: 'o7', total: 7 })
  const before = applied
  broken = false
  applied = []
  await views.rebuild('totals', { resume: true })
  expect(applied.length).toBeLessThan(100)
  expect(new Set([...before, ...applied]).size).toBe(100)
  expect(await reader.findByKey('o7')).toEqual({ orderId: 'o7', total: 1007 })
  expect(await reader.count()).toBe(100)

  // Not resumed, it begins anew.
  applied = []
  await views.rebuild('totals')
  expect(applied.length).toBe(100)
})

const stores: [string, () => ReadModels][] = [
  ['memory', () => memoryReadModels()],
  ['postgres', () => postgresReadModels({ url: database.url })],
]

test.each(stores)(
  'the old view is kept, switched back to, and goes on from where it stood, on %s',
  async (_kind, open) => {
    const { views, place, reader } = await shop(open())
    await expect(views.switchBack('totals')).rejects.toMatchObject({ code: 'NOTHING_KEPT' })
    const before = await reader.findWhere({}, { limit: 1000 })
    await views.rebuild('totals', { keepOld: true })
    await place('o7', 777)
    expect(await reader.findByKey('o7')).toEqual({ orderId: 'o7', total: 777 })
    await views.switchBack('totals')
    await vi.waitFor(async () => expect(await reader.findByKey('o7')).toEqual({ orderId: 'o7', total: 777 }), 20_000)
    expect(await reader.count()).toBe(before.length)
    await place('o8', 888)
    // And forward again.
    await views.switchBack('totals')
    await vi.waitFor(async () => expect(await reader.findByKey('o8')).toEqual({ orderId: 'o8', total: 888 }), 20_000)
    await views.rebuild('totals')
    await expect(views.switchBack('totals')).rejects.toMatchObject({ code: 'NOTHING_KEPT' })
  },
)

test('progress says for each partition how far it is, how fast, and how long it will take', async () => {
  const { views } = await shop(postgresReadModels({ url: database.url }))
  const reports: RebuildProgress[] = []
  const began = performance.now()
  await views.rebuild('totals', { eventsPerSecond: 100, onProgress: (progress) => reports.push(progress) })
  // The first batch goes at once; the last one is not waited for.
  expect(performance.now() - began).toBeGreaterThan(400)
  const half = reports.find(({ events, total }) => events > 0 && events < total)!
  expect(half.secondsLeft).toBeGreaterThan(0)
  expect(half.partitions).toHaveLength(4)
  expect(half.partitions.some(({ eventsPerSecond }) => eventsPerSecond > 0)).toBe(true)
  expect(reports.at(-1)!.partitions.every(({ secondsLeft, offset, end }) => secondsLeft === 0 && offset >= end)).toBe(
    true,
  )
})
