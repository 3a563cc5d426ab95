// Exactly once on real Kafka and real Postgres, with a worker that is killed with -9 over and over, at any statement.
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { type Books, expectBooks, setStage, startWorker, write } from './workers.test-support.js'

const eventCount = 20_000
const kills = 14

test('a worker killed at any point: the table is the fold of the log, the checkpoint its end', {
  timeout: 180_000,
}, async () => {
  const { storage, pool, environment, close } = await setStage(3)

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
  await close()
})
