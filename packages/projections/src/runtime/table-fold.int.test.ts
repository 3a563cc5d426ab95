// Rows equal the pure fold of the log, however the log is cut and whenever Postgres goes away.
import { silentLogger } from '@narrative/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { databasePerFile } from '../application/database.test-support.js'
import { OrdersView, orders } from '../application/orders.test-support.js'
import { readProjection } from '../decorators/read-projection.js'
import { bindProjection } from '../definition/bind-projection.js'
import { memoryReadModels, postgresReadModels, type ReadModels } from '../index.js'
import { Follower } from './follower.js'
import { histories, logOf, partContext, rowsOf } from './history.test-support.js'
import { TableSession } from './table-session.js'
import { cuts, faults, limits, runsToTheEnd, unreliable } from './unreliable.test-support.js'

const database = databasePerFile()
const toTheEnd = runsToTheEnd()

async function check(
  store: ReadModels,
  history: Parameters<typeof rowsOf>[0],
  cut: Iterator<number>,
  limits: ConstructorParameters<typeof TableSession>[4],
) {
  const { definition } = readProjection(OrdersView)
  const { bound, faults } = bindProjection(definition, partContext(), () => new OrdersView())
  expect([...faults, ...(await store.setup([bound], silentLogger))]).toEqual([])
  const log = logOf(history, () => cut.next().value as number)
  const follower = new Follower({
    name: bound.name,
    categories: bound.categories,
    onFailure: bound.onFailure,
    clock: bound.clock,
    eventLog: log,
    logger: silentLogger,
    open: async (partitions, listener, suspects) =>
      new TableSession(bound, await store.openTable(bound, partitions), listener, suspects, limits),
  })
  await follower.start()
  await follower.caughtUp()
  await follower.stop()
  const rows = await store.reader(orders).findWhere({}, { limit: 1000 })
  expect(new Map(rows.map((row) => [row.orderId, row]))).toEqual(rowsOf(history))
  return log
}

test('in memory', async () => {
  await fc.assert(
    fc.asyncProperty(
      histories,
      cuts,
      faults,
      limits,
      toTheEnd(async (history, cut, lost, limit) => {
        await check(unreliable(memoryReadModels(), lost), history, cut[Symbol.iterator](), limit)
      }),
    ),
    { numRuns: 100, interruptAfterTimeLimit: 15_000 },
  )
})

test('in Postgres, and the checkpoints are at the end', async () => {
  await fc.assert(
    fc.asyncProperty(
      histories,
      cuts,
      faults,
      limits,
      toTheEnd(async (history, cut, lost, limit) => {
        await database.pool.query('DROP TABLE IF EXISTS orders, narrative_projections, narrative_checkpoints')
        const log = await check(
          unreliable(postgresReadModels({ pool: database.pool }), lost),
          history,
          cut[Symbol.iterator](),
          limit,
        )
        const { rows } = await database.pool.query(
          'SELECT partition, "offset"::int AS "end" FROM narrative_checkpoints ORDER BY partition',
        )
        expect(rows).toEqual(log.ends.map(({ partition, end }) => ({ partition, end })))
      }),
    ),
    { numRuns: 60, interruptAfterTimeLimit: 20_000 },
  )
})
