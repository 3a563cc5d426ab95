// Exactly once on real Kafka and real Postgres, with a worker that is killed with -9 over and over, at any statement.
import { once } from 'node:events'
import { silentLogger, systemClock } from '@narrative/core'
import { kafkaEventStore } from '@narrative/kafka-eventstore'
import { startKafka, startPostgres, uniqueName } from '@narrative/testing'
import pg from 'pg'
import { expect, test } from 'vitest'
import { type Books, expectBooks, startWorker, write } from './workers.test-support.js'

const eventCount = 20_000
const kills = 14

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

  const expected: Books = new Map()
  const enough = new AbortController()
  const writing = write(storage.eventStore, expected, eventCount, enough.signal)
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
  await expectBooks(pool, await storage.eventLog.partitions('order'), expected)
  survivor.kill('SIGKILL')
  await pool.end()
  await storage.close()
  await Promise.all([kafka.stop(), postgres.stop()])
})
