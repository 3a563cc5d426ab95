// Two who rebuild one projection at the same moment: each of them ends, and the view is whole.
import { createApplication, inMemoryEventStore, isNarrativeError, noValidation, silentLogger } from '@narrative/core'
import { expect, test } from 'vitest'
import { defineProjection, postgresReadModels, projections, type SqlProjectionContext, table } from '../index.js'
import { partContext } from '../runtime/history.test-support.js'
import { databasePerTest } from './database.test-support.js'
import { Order, OrderPlaced, RecordEvents } from './orders.test-support.js'

const database = databasePerTest()
const rounds = 20

const totals = table('totals', { key: 'orderId', columns: { orderId: 'text', total: 'bigint' }, indexes: ['total'] })
const tableView = defineProjection({
  ...{ name: 'totals', from: [Order], table: totals },
  on: { 'order.placed': (_row, event: OrderPlaced, { aggregateId }) => ({ orderId: aggregateId, total: event.total }) },
})
const sqlView = defineProjection({
  ...{ name: 'totals', from: [Order] },
  sql: { setup: 'CREATE TABLE IF NOT EXISTS totals (order_id text, total bigint)', reset: 'TRUNCATE totals' },
  on: {
    'order.placed': async ({ total }: OrderPlaced, { client, aggregateId }: SqlProjectionContext) => {
      await client.query('INSERT INTO totals VALUES ($1, $2)', [aggregateId, total])
    },
  },
})

test.each([
  ['in one process', 'a table', tableView, false],
  ['in two processes', 'a table', tableView, true],
  ['in one process', 'SQL of its own', sqlView, false],
  ['in two processes', 'SQL of its own', sqlView, true],
] as const)('%s, %s, while events keep coming', { timeout: 120_000 }, async (_where, _kind, view, apart) => {
  const views = projections([view], { store: postgresReadModels({ url: database.url }) })
  const common = { eventStore: inMemoryEventStore(), validator: noValidation, logger: silentLogger }
  const app = await createApplication({ ...common, aggregates: [Order], parts: [views] })
  database.stopLater(() => app.stop())
  const beside = projections([view], { store: postgresReadModels({ url: database.url }), follow: false })
  expect(beside.prepare(partContext())).toEqual([])
  await beside.start(app.eventLog)
  database.stopLater(() => beside.stop())
  let placed = 0
  const place = async () => {
    const events = [new OrderPlaced('', 'ada', [], 1)]
    placed++
    return (await app.commands.execute(new RecordEvents({ orderId: `o${placed}`, events }))).position!
  }
  for (let round = 1; round <= rounds; round++) {
    for (let i = 0; i < 5; i++) await place()
    const both = [views.rebuild('totals'), (apart ? beside : views).rebuild('totals')]
    const last = await place()
    const ends = await Promise.allSettled(both)
    const refused = ends.filter((end) => end.status === 'rejected').map(({ reason }) => reason)
    for (const reason of refused) expect(isNarrativeError(reason, 'REBUILD_UNDER_WAY'), String(reason)).toBe(true)
    expect(refused.length).toBeLessThan(2)
    await views.waitFor!(last, { timeout: 20_000 })
    const { rows } = await database.pool.query('SELECT count(*)::int AS rows, sum(total)::int AS total FROM totals')
    expect(rows).toEqual([{ rows: placed, total: placed }])
  }
  expect((await database.pool.query('SELECT * FROM narrative_builds')).rows).toEqual([])
})
