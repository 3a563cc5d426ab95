// The rows of several tables are what they would be with a transaction for each event, however the log is cut, whenever the store goes
// away, and whichever events are parked for a while.
import { silentLogger } from '@narrative/core'
import fc from 'fast-check'
import { beforeEach, expect, test, vi } from 'vitest'
import { databasePerFile } from '../application/database.test-support.js'
import { readProjection } from '../decorators/read-projection.js'
import { bindProjection } from '../definition/bind-projection.js'
import { memoryReadModels, postgresReadModels, type ReadModels } from '../index.js'
import { Follower } from './follower.js'
import { logOfRecords } from './history.test-support.js'
import {
  broken,
  customers,
  recordsOf,
  ShopView,
  shopAfter,
  shopContext,
  shopHistories,
  shopOrders,
} from './shop.test-support.js'
import { TableSession } from './table-session.js'
import { cuts, faults, limits, runsToTheEnd, unreliable } from './unreliable.test-support.js'

const database = databasePerFile()
const toTheEnd = runsToTheEnd()
beforeEach(() => broken.clear())

interface Course {
  readonly history: readonly object[]
  readonly cut: Iterable<number>
  readonly lost: number[]
  readonly limit: ConstructorParameters<typeof TableSession>[4]
}

async function follow(store: ReadModels, { history, cut, lost, limit }: Course) {
  const { definition } = readProjection(ShopView)
  const { bound, faults } = bindProjection(definition, shopContext(), () => new ShopView())
  expect([...faults, ...(await store.setup([bound], silentLogger))]).toEqual([])
  const cuts = cut[Symbol.iterator]()
  const losing = unreliable(store, [...lost])
  const follower = new Follower({
    ...{ name: bound.name, categories: bound.categories, onFailure: bound.onFailure },
    ...{ clock: bound.clock, logger: silentLogger },
    eventLog: logOfRecords('test.shop.events', [recordsOf(history)], () => cuts.next().value as number),
    open: async (partitions, listener, suspects) =>
      new TableSession(bound, await losing.openTable(bound, partitions), listener, suspects, limit),
  })
  await follower.start()
  await follower.caughtUp()
  return { follower, letters: store.letters(bound) }
}

async function rowsIn(store: ReadModels) {
  const all = { limit: 1000 }
  return {
    orders: await store.reader(shopOrders).findWhere({}, { ...all, orderBy: 'orderId' }),
    customers: await store.reader(customers).findWhere({}, { ...all, orderBy: 'customer' }),
  }
}

async function empty() {
  await database.pool.query(
    'DROP TABLE IF EXISTS shop_orders, customers, narrative_projections, narrative_checkpoints, narrative_dead_letters',
  )
}

const stores = [
  { name: 'in memory', begin: async () => memoryReadModels(), runs: 200, limit: 8_000 },
  {
    name: 'in Postgres',
    begin: async () => {
      await empty()
      return postgresReadModels({ pool: database.pool })
    },
    runs: 60,
    limit: 12_000,
  },
]

test.each(stores)('one event after the other, $name', async ({ begin, runs, limit }) => {
  await fc.assert(
    fc.asyncProperty(
      shopHistories,
      cuts,
      faults,
      limits,
      toTheEnd(async (history, cut, lost, limit) => {
        const store = await begin()
        const { follower } = await follow(store, { history, cut, lost, limit })
        await follower.stop()
        expect(await rowsIn(store)).toEqual(shopAfter(history))
      }),
    ),
    { numRuns: runs, interruptAfterTimeLimit: limit },
  )
})

test.each(stores)('with events that are parked for a while, $name', async ({ begin, runs, limit }) => {
  const parking = fc.record({
    versions: fc.uniqueArray(fc.integer({ min: 1, max: 60 }), { maxLength: 4 }),
    choice: fc.array(fc.nat(99), { maxLength: 4 }),
  })
  await fc.assert(
    fc.asyncProperty(
      shopHistories,
      cuts,
      faults,
      limits,
      parking,
      toTheEnd(async (history, cut, lost, limit, { versions, choice }) => {
        broken.clear()
        for (const version of versions) broken.add(version)
        const store = await begin()
        const { follower, letters } = await follow(store, { history, cut, lost, limit })
        const failed = history.filter((_, i) => broken.has(i + 1)).length
        expect((await letters.count()) > 0).toBe(failed > 0)
        broken.clear()
        // Some keys first, in any order; then whatever is left.
        for (const n of choice) {
          const all = await letters.list()
          if (all.length > 0) await letters.ask('redrive', { key: all[n % all.length]!.key })
          await follower.attend()
        }
        const redriveAll = async () => {
          if ((await letters.count()) > 0) await letters.ask('redrive', 'all')
          await follower.attend()
          expect(await letters.count()).toBe(0)
        }
        // A commit that was lost is another try.
        await vi.waitFor(redriveAll, { timeout: 10_000, interval: 2 })
        await follower.stop()
        expect(await rowsIn(store)).toEqual(shopAfter(history))
      }),
    ),
    { numRuns: runs, interruptAfterTimeLimit: limit },
  )
})
