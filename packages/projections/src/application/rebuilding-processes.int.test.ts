// Processes that rebuild one view together on real Kafka and real Postgres, one of them killed, while another one follows and events come.
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { type Books, expectBooks, setStage, startWorker, write } from './workers.test-support.js'

test('whoever of them is killed, the others finish, and the table is the fold of the log', {
  timeout: 180_000,
}, async () => {
  const { storage, pool, environment, close } = await setStage(3)

  const expected: Books = new Map()
  await write(storage.eventStore, expected, 6_000, AbortSignal.abort())
  const follower = startWorker(environment)
  await expectBooks(pool, await storage.eventLog.partitions('order'), expected)

  const enough = new AbortController()
  const writing = write(storage.eventStore, expected, 1_000, enough.signal)
  for (const [round, dieAt] of [20, 45, 70].entries()) {
    const rebuilding = { ...environment, REBUILD: 'yes', SHARE: 'yes' }
    const doomed = startWorker({ ...rebuilding, DIE_AT: String(dieAt), DIE: round % 2 === 0 ? 'after' : 'before' })
    const others = [startWorker(rebuilding), startWorker(rebuilding)]
    await once(doomed, 'exit')
    for (const other of others) if (other.exitCode === null) await once(other, 'exit')
    expect(others.map(({ exitCode }) => exitCode)).toEqual([0, 0])
  }
  enough.abort()
  await writing

  await expectBooks(pool, await storage.eventLog.partitions('order'), expected)
  const { rows } = await pool.query('SELECT generation FROM narrative_projections')
  expect(rows[0].generation).toBeGreaterThan(1)
  expect((await pool.query('SELECT * FROM narrative_builds')).rows).toEqual([])
  follower.kill('SIGKILL')
  await close()
})
