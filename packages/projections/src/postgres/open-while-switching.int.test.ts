// A session that is opened while another generation takes its place must not go on under checkpoints of the one that is gone.
import { silentLogger } from '@narrative/core'
import { expect, test, vi } from 'vitest'
import { databasePerTest } from '../application/database.test-support.js'
import { Order, OrdersView } from '../application/orders.test-support.js'
import { bindProjection } from '../definition/bind-projection.js'
import { defineProjection, postgresReadModels, readProjection } from '../index.js'
import { partContext } from '../runtime/history.test-support.js'

const database = databasePerTest()
const partitions = [0, 1].map((partition) => ({ topic: 'test.order.events', partition }))
const nobody = { retry: async () => {}, committed() {}, parked() {}, failed() {} }

const inSql = defineProjection({
  ...{ name: 'orders-view', from: [Order] },
  sql: { setup: 'CREATE TABLE IF NOT EXISTS n (n int)', reset: 'TRUNCATE n' },
  on: {},
})

test.each([
  ['a table', readProjection(OrdersView).definition],
  ['SQL of its own', inSql],
])('%s', async (_kind, definition) => {
  const { bound } = bindProjection(definition, partContext(), () => new OrdersView())
  const store = postgresReadModels({ url: database.url })
  expect(await store.setup([bound], silentLogger)).toEqual([])
  database.stopLater(async () => store.close?.())
  const switching = await database.pool.connect()
  const all = (text: string) => database.pool.query(text).then(({ rows }) => rows)
  try {
    // What a rebuild does in the end.
    await switching.query('BEGIN')
    await switching.query('SELECT 1 FROM narrative_projections FOR UPDATE')
    await switching.query('UPDATE narrative_projections SET generation = 2')
    const opening =
      definition === inSql ? store.openSql(bound)(partitions, nobody, []) : store.openTable(bound, partitions)
    const waiting = vi.waitFor(
      async () => expect(await all(`SELECT 1 FROM pg_locks WHERE NOT granted`)).not.toEqual([]),
      20_000,
    )
    await Promise.race([opening, waiting])
    await switching.query('COMMIT')
    await opening
    await waiting.catch(() => {}) // or it did not wait, and stands where it must not
  } finally {
    switching.release()
  }
  expect(await all('SELECT DISTINCT generation FROM narrative_checkpoints')).toEqual([{ generation: 2 }])
})
