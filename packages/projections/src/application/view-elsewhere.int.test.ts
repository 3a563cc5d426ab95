// Queries in a process that follows nothing: what others follow is seen through the database, anything else is refused.
import {
  createApplication,
  inMemoryEventStore,
  noValidation,
  Query,
  QueryHandler,
  returns,
  silentLogger,
} from '@narrative/core'
import { inject } from 'inversify'
import { expect, test } from 'vitest'
import { memoryReadModels, postgresReadModels, projections, type ReaderOf, type ReadModels } from '../index.js'
import { databasePerTest } from './database.test-support.js'
import { Order, OrderPlaced, OrderRepriced, OrdersView, orders, RecordEvents } from './orders.test-support.js'

const database = databasePerTest()

@Query('order.total')
class Total {
  declare readonly [returns]: number | undefined
  constructor(readonly orderId: string) {}
}
class Totals {
  constructor(@inject(orders.reader) private readonly view: ReaderOf<typeof orders>) {}
  @QueryHandler(Total, { reads: OrdersView })
  async total({ orderId }: Total) {
    return (await this.view.findByKey(orderId))?.total
  }
}

/** Two applications on one log; only the first follows, once it is started. */
async function two(store: () => ReadModels) {
  const common = { aggregates: [Order], validator: noValidation, logger: silentLogger, queryHandlers: [Totals] }
  const log = await inMemoryEventStore().open({ categories: ['order'], clock: { now: Date.now }, logger: silentLogger })
  const eventStore = { name: 'memory', open: async () => ({ ...log, close: async () => {} }) }
  const start = async (follow: boolean) => {
    const app = await createApplication({
      ...common,
      eventStore,
      parts: [projections([OrdersView], { store: store(), follow })],
    })
    database.stopLater(() => app.stop())
    return app
  }
  const record = async (app: Awaited<ReturnType<typeof start>>, ...events: object[]) =>
    (await app.commands.execute(new RecordEvents({ orderId: 'a', events }))).position!
  return { start, record }
}

const placed = (total: number) => new OrderPlaced('', 'ada', [], total)

test('what another process follows into Postgres is waited for and watched through the database', async () => {
  const { start, record } = await two(() => postgresReadModels({ url: database.url }))
  const worker = await start(true)
  const app = await start(false)
  const first = await record(app, placed(1))
  expect(await app.queries.execute(new Total('a'), { after: first, timeout: 20_000 })).toBe(1)
  const answers = app.queries.subscribe(new Total('a'))[Symbol.asyncIterator]()
  expect(await answers.next()).toEqual({ done: false, value: 1 })
  await record(worker, new OrderRepriced(2))
  expect(await answers.next()).toEqual({ done: false, value: 2 })
  await record(app, new OrderRepriced(3))
  expect(await answers.next()).toEqual({ done: false, value: 3 })
  await answers.return?.()
})

test('what nobody follows: a live query is refused, and "after" says in time how far it is', async () => {
  const { start, record } = await two(() => postgresReadModels({ url: database.url }))
  const worker = await start(true)
  await worker.queries.execute(new Total('a'), { after: await record(worker, placed(1)) })
  await worker.stop()
  const app = await start(false)
  const answers = app.queries.subscribe(new Total('a'))[Symbol.asyncIterator]()
  expect(await answers.next()).toEqual({ done: false, value: 1 })
  await expect(answers.next()).rejects.toMatchObject({
    code: 'READ_MODEL_UNFOLLOWED',
    message: expect.stringContaining('no other process does'),
    details: { readModel: 'orders-view' },
  })
  const position = await record(app, new OrderRepriced(2))
  await expect(app.queries.execute(new Total('a'), { after: position, timeout: 100 })).rejects.toMatchObject({
    code: 'READ_MODEL_BEHIND',
    details: { reached: position.offset },
  })
})

test('what another process has in its memory is refused at once', async () => {
  const { start, record } = await two(memoryReadModels)
  await start(true)
  const app = await start(false)
  const refused = {
    code: 'READ_MODEL_UNFOLLOWED',
    message: expect.stringContaining('Leave out { follow: false } here, or ask once'),
  }
  const position = await record(app, placed(1))
  await expect(app.queries.execute(new Total('a'), { after: position })).rejects.toMatchObject(refused)
  await expect(app.queries.subscribe(new Total('a'))[Symbol.asyncIterator]().next()).rejects.toMatchObject(refused)
})
