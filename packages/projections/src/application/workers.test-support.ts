// Worker processes for tests, and a writer that keeps books of what the view must become.
import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type EventStore, silentLogger, systemClock } from '@narrative/core'
import { kafkaEventStore } from '@narrative/kafka-eventstore'
import { startKafka, startPostgres, uniqueName } from '@narrative/testing'
import pg from 'pg'
import { expect, vi } from 'vitest'
import { codec } from '../runtime/history.test-support.js'
import { OrderPlaced, OrderRepriced, OrderViewed } from './orders.test-support.js'

/** What workers follow and where they write: a log on a Kafka of its own, a database, and the environment that tells them. */
export async function setStage(partitions: number) {
  const [kafka, postgres] = await Promise.all([startKafka(), startPostgres()])
  const context = uniqueName('workers')
  const storage = await kafkaEventStore({ brokers: kafka.brokers, context, partitions }).open({
    categories: ['order'],
    clock: systemClock,
    logger: silentLogger,
  })
  const url = await postgres.createDatabase()
  const pool = new pg.Pool({ connectionString: url })
  return {
    storage,
    pool,
    environment: { BROKERS: kafka.brokers.join(), CONTEXT: context, URL: url },
    async close() {
      await pool.end()
      await storage.close()
      await Promise.all([kafka.stop(), postgres.stop()])
    },
  }
}

/** Starts the program in worker.test-support.ts; it ends with its standard input, and so with this process. */
export function startWorker(environment: Record<string, string>): ChildProcess {
  return spawn(process.execPath, ['--import', 'tsx', join(import.meta.dirname, 'worker.test-support.ts')], {
    cwd: import.meta.dirname,
    stdio: ['pipe', 'pipe', 'inherit'],
    env: {
      ...process.env,
      ...environment,
      TSX_TSCONFIG_PATH: join(import.meta.dirname, '../../../../tsconfig.test.json'),
    },
  })
}

/** Events, their sum and the last version, by order. */
export type Books = Map<string, [events: number, sum: number, lastVersion: number]>

/** Appends events until both are so: enough of them, and `until` aborted. */
export async function write(eventStore: EventStore, expected: Books, enough: number, until: AbortSignal) {
  const orders = 200
  for (let n = 0; n < enough || !until.aborted; ) {
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

/** Waits until the checkpoints are at the end of the log, then compares the table with the books. */
export async function expectBooks(pool: pg.Pool, ends: readonly { partition: number; end: number }[], expected: Books) {
  await vi.waitFor(
    async () => {
      const { rows } = await pool.query(
        `SELECT partition, "offset"::int AS "end" FROM narrative_checkpoints ORDER BY partition`,
      )
      expect(rows).toEqual(ends.map(({ partition, end }) => ({ partition, end })))
    },
    { timeout: 60_000, interval: 100 },
  )
  const { rows } = await pool.query('SELECT order_id, events, sum::int8 AS sum, last_version FROM counts')
  const actual = new Map(rows.map((row) => [row.order_id, [row.events, Number(row.sum), row.last_version]]))
  expect(actual).toEqual(expected)
}
