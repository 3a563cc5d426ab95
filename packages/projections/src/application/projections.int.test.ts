import { createApplication, noValidation, silentLogger } from '@narrative/core'
import { type PostgresService, startPostgres } from '@narrative/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { memoryReadModels, postgresReadModels, projections, type ReaderOf, type ReadModels } from '../index.js'
import { Order, OrderCancelled, OrderPlaced, OrdersView, orders, RecordEvents } from './orders.test-support.js'

let postgres: PostgresService
beforeAll(async () => {
  postgres = await startPostgres({ logger: silentLogger })
})
afterAll(() => postgres.stop())

const stores: [string, () => Promise<ReadModels>][] = [
  ['memory', async () => memoryReadModels()],
  ['postgres', async () => postgresReadModels({ url: await postgres.createDatabase() })],
]

test.each(stores)('a table projection shows what was appended, on %s', async (_name, store) => {
  const views = projections([OrdersView], { store: await store() })
  const app = await createApplication({ aggregates: [Order], validator: noValidation, parts: [views] })
  const placed = new OrderPlaced('a', 'ada', [{ productId: 'p', quantity: 2 }], 250)
  await app.commands.execute(new RecordEvents({ orderId: 'a', events: [placed] }))
  const { position } = await app.commands.execute(
    new RecordEvents({ orderId: 'a', events: [new OrderCancelled('late')] }),
  )
  await views.waitFor!(position!, { readModel: OrdersView, timeout: 20_000 })
  const reader = app.container.get<ReaderOf<typeof orders>>(orders.reader)
  const row = {
    orderId: 'a',
    customerId: 'ada',
    status: 'cancelled',
    lines: [{ productId: 'p', quantity: 2 }],
    total: 250,
    version: 2,
    reason: 'late',
  }
  expect(await reader.findByKey('a')).toEqual(row)
  expect(await reader.findWhere({ customerId: 'ada' })).toEqual([row])
  expect(app.health()).toEqual({ ready: true, reasons: [] })

  const progress = await views.rebuild('orders-view')
  expect(progress.secondsLeft).toBe(0)
  expect(await reader.findByKey('a')).toEqual(row)
  await app.stop()
})
