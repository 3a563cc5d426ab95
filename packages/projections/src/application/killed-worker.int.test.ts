// Exactly once on real Kafka and real Postgres, with a worker that is killed with -9 over and over, at any statement.
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type EventStore, silentLogger, systemClock } from '@narrative/core'
import { kafkaEventStore } from '@narrative/kafka-eventstore'
import { startKafka, startPostgres, uniqueName } from '@narrative/testing'
import pg from 'pg'
import { expect, test, vi } from 'vitest'
import { codec } from '../runtime/history.test-fixture.js'
import { OrderPlaced, OrderRepriced, OrderViewed } from './orders.test-fixture.js'

const eventCount = 20_000
const kills = 14

function startWorker(environment: Record<string, string>) {
  return spawn(process.execPath, ['--import', 'tsx', join(import.meta.dirname, 'worker.test-fixture.ts')], {
    cwd: import.meta.dirname,
    // The worker ends with its standard input, and so with this process.
    stdio: ['pipe', 'inherit', 'inherit'],
    env: {
      ...process.env,
      ...environment,
      TSX_TSCONFIG_PATH: join(import.meta.dirname, '../../../../tsconfig.test.json'),
    },
  })
}

/** Appends events and keeps the books that the view is compared with. */
async function write(
  eventStore: EventStore,
  expected: Map<string, [events: number, sum: number, lastVersion: number]>,
  until: AbortSignal,
) {
  const orders = 200
  for (let n = 0; n < eventCount || !until.aborted; ) {
    // A pace at which there is always something to commit, and never everything at once.
    await delay(25)
    await Promise.all(
      Array.from({ length: 50 }, async (_, i) => {
        const orderId = `o${(n / 2 + i) % orders}`
        const events = [
          i % 7 === 0 ? new OrderPlaced('', 'ada', [], n) : new OrderRepriced(n + i),
          new OrderViewed('eve'),
        ]
        const metadata = { commandId: randomUUID(), correlationId: 'c', causationId: 'c' }
        const result = await eventStore.append(
          `order-${orderId}`,
          events.map((event) => codec.encode(event)),
          { expectedVersion: 'any', metadata },
        )
        if (result.outcome !== 'appended') throw new Error('conflict')
        const [count, sum] = expected.get(orderId) ?? [0, 0]
        expected.set(orderId, [count + 1, sum + (i % 7 === 0 ? n : n + i), result.firstVersion])
      }),
    )
    n += 100
  }
}

test('a worker killed at any point: the table is the fold of the log, the checkpoint its end', {
  timeout: 180_000,
}, async () => {
  const [kafka, postgres] = await Promise.all([startKafka(), startPostgres()])
  const context = uniqueName('killed')
  const storage = await kafkaEventStore({ brokers: kafka.brokers, context, partitions: 3 }).open({
    categories: ['order'],
    clock: systemClock,
    logger: silentLogger,
  })
  const url = await postgres.createDatabase()
  const pool = new pg.Pool({ connectionString: url })
  const environment = { BROKERS: kafka.brokers.join(), CONTEXT: context, URL: url }

  const expected = new Map<string, [number, number, number]>()
  const enough = new AbortController()
  const writing = write(storage.eventStore, expected, enough.signal)
  for (let n = 0; n < kills; n++) {
    // The first statements set up tables and checkpoints; from then on every commit is four of them, and loads in between.
    const dieAt = String(2 + ((n * 7) % 40))
    const worker = startWorker({ ...environment, DIE_AT: dieAt, DIE: n % 2 === 0 ? 'before' : 'after' })
    const [, signal] = await once(worker, 'exit')
    expect(signal).toBe('SIGKILL')
  }
  enough.abort()
  await writing

  const survivor = startWorker(environment)
  const ends = await storage.eventLog.partitions('order')
  await vi.waitFor(
    async () => {
      const { rows } = await pool.query(
        `SELECT partition, "offset"::int AS "end" FROM narrative_checkpoints ORDER BY partition`,
      )
      expect(rows).toEqual(ends.map(({ partition, end }) => ({ partition, end })))
    },
    { timeout: 60_000, interval: 100 },
  )
  survivor.kill('SIGKILL')

  const { rows } = await pool.query('SELECT order_id, events, sum::int, last_version FROM counts')
  const actual = new Map(rows.map((row) => [row.order_id, [row.events, row.sum, row.last_version]]))
  expect(actual).toEqual(expected)
  await pool.end()
  await storage.close()
  await Promise.all([kafka.stop(), postgres.stop()])
})
