// A view as it was: at every moment of a history it is the view of that moment.
import { createApplication, formatPosition, noValidation, type Position, silentLogger } from '@narrative/core'
import { at } from '@narrative/testing'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { EventHandler, memoryReadModels, Projection, projections } from '../index.js'
import {
  Order,
  OrderCancelled,
  OrderErased,
  OrderPlaced,
  OrderRepriced,
  OrdersView,
  orders,
  RecordEvents,
} from './orders.test-support.js'

@Projection('ids', { from: [Order] })
class Ids {
  readonly seen: string[] = []
  @EventHandler(OrderPlaced) placed(event: OrderPlaced) {
    this.seen.push(event.orderId)
  }
}

async function start() {
  const store = memoryReadModels()
  const clock = at('2026-01-01T00:00:00Z')
  const views = projections([OrdersView, Ids], { store })
  const app = await createApplication({
    aggregates: [Order],
    parts: [views],
    validator: noValidation,
    clock,
    logger: silentLogger,
  })
  const append = async (orderId: string, event: object): Promise<Position> => {
    const { position } = await app.commands.execute(new RecordEvents({ orderId, events: [event] }))
    await views.waitFor!(position!, { timeout: 20_000 })
    return position!
  }
  return { app, append, clock, views, rows: () => sorted(store.rows(orders).all()) }
}

function sorted(rows: readonly { readonly orderId: string }[]) {
  return [...rows].sort((a, b) => (a.orderId < b.orderId ? -1 : 1))
}

const step = fc.record({
  order: fc.integer({ min: 0, max: 5 }),
  event: fc.constantFrom(
    new OrderPlaced('', 'ada', [], 1),
    new OrderRepriced(7),
    new OrderCancelled('late'),
    new OrderErased('ada'),
  ),
  pause: fc.integer({ min: 1, max: 3 }),
})

test('as of each position and each instant, it is what it was then', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
      const { app, append, clock, views, rows } = await start()
      try {
        const placed = new Set<number>()
        const moments: { position: Position; instant: number; rows: object[] }[] = []
        for (const { order, event, pause } of steps) {
          // Only a placed order can be repriced or cancelled.
          const fitting = placed.has(order) ? event : new OrderPlaced('', 'bob', [], 2)
          if (fitting instanceof OrderErased) placed.delete(order)
          else placed.add(order)
          clock.advance(pause)
          const position = await append(`o${order}`, fitting)
          moments.push({ position, instant: clock.now(), rows: rows() })
        }
        for (const { position, instant, rows: then } of moments) {
          for (const moment of [{ position: formatPosition(position) }, { asOf: new Date(instant) }]) {
            expect(sorted((await views.asOf(OrdersView, moment)).rows(orders).all())).toEqual(then)
          }
        }
        const first = moments[0]!.instant
        expect((await views.asOf(OrdersView, { asOf: first - 1 })).rows(orders).all()).toEqual([])
      } finally {
        await app.stop()
      }
    }),
    { numRuns: 25 },
  )
})

test('the view that others read goes on, and the scratch one does not', async () => {
  const { app, append, views, rows } = await start()
  const position = await append('o1', new OrderPlaced('', 'ada', [], 1))
  const then = await views.asOf(OrdersView, { position })
  await append('o1', new OrderCancelled('late'))
  expect(await then.reader(orders).findByKey('o1')).toMatchObject({ status: 'placed' })
  expect(rows()).toMatchObject([{ status: 'cancelled' }])
  await app.stop()
})

test('what cannot be looked at is said', async () => {
  const { app, append, views } = await start()
  const position = await append('o1', new OrderPlaced('', 'ada', [], 1))
  const nowhere = { ...position, offset: position.offset + 1 }
  await expect(views.asOf(OrdersView, { position: nowhere })).rejects.toMatchObject({ code: 'POSITION_INVALID' })
  await expect(views.asOf(OrdersView, { position: 'yesterday' })).rejects.toMatchObject({ code: 'POSITION_INVALID' })
  await expect(views.asOf(Ids, { position })).rejects.toThrow('has no table')
  await app.stop()
})
