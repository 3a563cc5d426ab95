// One row made anew, while events keep coming: it is the fold of its key's history, and nothing else changes.
import { createApplication, inMemoryEventStore, noValidation, silentLogger } from '@narrative/core'
import { expect, test } from 'vitest'
import { Counting, counts } from '../application/counting.test-support.js'
import { databasePerFile } from '../application/database.test-support.js'
import { Order, OrderPlaced, OrderRepriced, RecordEvents } from '../application/orders.test-support.js'
import { memoryReadModels, postgresReadModels, projections, type ReadModels, readProjection } from '../index.js'

const database = databasePerFile()

const stores: [string, () => ReadModels][] = [
  ['memory', () => memoryReadModels()],
  ['postgres', () => postgresReadModels({ pool: database.pool })],
]

test.each(stores)('a row is the fold of its history, and its dead letters are settled, on %s', async (_kind, open) => {
  const { definition } = readProjection(Counting)
  let broken = true
  const handlers = definition.handlers.map((handler) => ({
    ...handler,
    handle(row: unknown, event: { total: number }, context: unknown) {
      // Wrong for one order, and refused for one event of it.
      if (broken && event.total === 13) throw new Error('Thirteen.')
      return handler.handle.call(new Counting(), row, broken ? { total: event.total * 2 } : event, context)
    },
  }))
  const view = { ...definition, handlers, onFailure: { retries: 0, action: 'park' as const } }
  const store = open()
  const views = projections([view], { store })
  const common = { eventStore: inMemoryEventStore(), validator: noValidation, logger: silentLogger }
  const app = await createApplication({ ...common, aggregates: [Order], parts: [views] })
  const append = async (orderId: string, ...events: object[]) =>
    (await app.commands.execute(new RecordEvents({ orderId, events }))).position!
  const reader = store.reader(counts)
  for (const orderId of ['a', 'b', 'c']) {
    const position = await append(orderId, new OrderPlaced('', 'ada', [], 1), new OrderRepriced(2))
    await views.waitFor!(position, { timeout: 20_000 })
  }
  const parked = await append('a', new OrderRepriced(13), new OrderRepriced(4))
  await expect(views.waitFor!(parked, { timeout: 20_000 })).rejects.toMatchObject({ code: 'EVENT_PARKED' })
  expect(await reader.findByKey('a')).toEqual({ orderId: 'a', events: 2, sum: 6, lastVersion: 2 })

  broken = false
  let writing = true
  let latest = { a: 4, sum: 20 }
  const writer = (async () => {
    while (writing) {
      const position = await append('a', new OrderRepriced(1))
      latest = { a: latest.a + 1, sum: latest.sum + 1 }
      await views.waitFor!(position, { timeout: 20_000 })?.catch(() => {})
    }
  })()
  await views.rebuildRow(view, 'a')
  writing = false
  await writer
  const last = await append('a', new OrderRepriced(1))
  await views.waitFor!(last, { timeout: 20_000 })
  const row = { orderId: 'a', events: latest.a + 1, sum: latest.sum + 1, lastVersion: latest.a + 1 }
  expect(await reader.findByKey('a')).toEqual(row)
  expect(await views.deadLetters(view).count()).toBe(0)
  // Nobody asked for this one.
  expect(await reader.findByKey('b')).toEqual({ orderId: 'b', events: 2, sum: 6, lastVersion: 2 })
  await app.stop()
})
