// An event may concern several rows: each is folded, and parked, by itself.
import { createApplication, noValidation, silentLogger } from '@narrative/core'
import { expect, test } from 'vitest'
import { Order, OrderPlaced, RecordEvents } from '../application/orders.test-support.js'
import { defineProjection, memoryReadModels, projections, table } from '../index.js'

const products = table('products', {
  key: 'productId',
  columns: { productId: 'text', sold: 'integer', orders: 'jsonb' },
})

test('parked for one of its rows, an event is applied to the others, and redriven to that row alone', async () => {
  let broken = true
  const view = defineProjection({
    ...{ name: 'products', from: [Order], table: products, onFailure: { retries: 0 } },
    key: (event: OrderPlaced) => event.lines.map(({ productId }) => productId),
    on: {
      'order.placed': (row, event: OrderPlaced, { key, aggregateId }) => {
        if (broken && key === 'pen' && aggregateId === 'b') throw new Error('No pens.')
        const { quantity } = event.lines.find(({ productId }) => productId === key)!
        const orders = [...((row?.orders as string[]) ?? []), aggregateId]
        return { productId: key, sold: (row?.sold ?? 0) + quantity, orders }
      },
    },
  })
  const store = memoryReadModels()
  const views = projections([view], { store })
  const common = { validator: noValidation, logger: silentLogger }
  const app = await createApplication({ ...common, aggregates: [Order], parts: [views] })
  const place = async (orderId: string, ...lines: [string, number][]) => {
    const event = new OrderPlaced(
      '',
      'ada',
      lines.map(([productId, quantity]) => ({ productId, quantity })),
      0,
    )
    const { position } = await app.commands.execute(new RecordEvents({ orderId, events: [event] }))
    // One after the other: what is asked below is the order of one partition at a time.
    await views.waitFor!(position!, { timeout: 20_000 })?.catch(() => {})
  }
  await place('a', ['pen', 1], ['ink', 1])
  await place('b', ['pen', 2], ['ink', 2])
  await place('b', ['ink', 3], ['pen', 3])
  const rows = () =>
    Object.fromEntries(
      store
        .rows(products)
        .all()
        .map(({ productId, sold, orders }) => [productId, { sold, orders }]),
    )
  expect(rows()).toEqual({ pen: { sold: 1, orders: ['a'] }, ink: { sold: 6, orders: ['a', 'b', 'b'] } })
  expect(await views.deadLetters(view).list()).toMatchObject([
    { key: 'pen', attempts: 1, event: { version: 1 } },
    { key: 'pen', attempts: 0, event: { version: 2 } },
  ])
  broken = false
  await views.deadLetters(view).ask('redrive', { key: 'pen' })
  expect(rows()).toEqual({ pen: { sold: 6, orders: ['a', 'b', 'b'] }, ink: { sold: 6, orders: ['a', 'b', 'b'] } })
  await views.rebuild(view)
  expect(rows().ink!.sold).toBe(6)
  await app.stop()
})
