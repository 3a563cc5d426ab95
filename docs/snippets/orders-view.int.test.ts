// biome-ignore-all assist/source/organizeImports: the guide shows one part of them
// What the guide to testing shows of stories in memory and on Postgres.
import { at } from '@narrative/testing'
import { Revenue } from './projections.js'
// #region both
import { type PostgresService, projecting, startPostgres } from '@narrative/testing'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { OrderPlaced } from './order.js'
import { OrdersView } from './orders-view.js'

let postgres: PostgresService
beforeAll(async () => {
  postgres = await startPostgres()
})
afterAll(() => postgres.stop())

describe.each([
  ['memory', () => undefined],
  ['Postgres', () => postgres],
])('orders in %s', (_, on) => {
  const orderId = '0197d4c2-6f4b-7a5e-9c1d-2f6a8b3c4d5e'

  test('a placed order is in the view', () =>
    projecting(OrdersView, { on: on() })
      .events(orderId, new OrderPlaced(4200))
      .thenRows({ orderId, status: 'placed', total: 4200 }))
})
// #endregion

const [first, second] = ['0197d4c2-6f4b-7a5e-9c1d-2f6a8b3c4d5e', '0197d4c2-6f4b-7a5e-9c1d-2f6a8b3c4d5f']

// #region query
test('revenue is summed up by day', () =>
  projecting(Revenue, { on: postgres, clock: at('2026-03-01T12:00:00Z') })
    .events(first, new OrderPlaced(4200))
    .events(second, new OrderPlaced(800))
    .thenQuery('SELECT day::text, total::int FROM revenue ORDER BY day', { day: '2026-03-01', total: 5000 }))
// #endregion
