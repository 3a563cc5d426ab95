// Several worker processes share a projection on real Kafka and Postgres, while they are killed, paused, doubled and replaced.
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, test, vi } from 'vitest'
import { type Books, expectBooks, setStage, startWorker, write } from './workers.test-support.js'

const partitions = 6

/** A worker and what it last said of itself. */
interface Worker {
  readonly process: ChildProcess
  here: readonly number[]
}

test('workers that are killed, paused and doubled: the table is the fold of the log, and all share the work', {
  timeout: 240_000,
}, async () => {
  const { storage, pool, environment, close } = await setStage(partitions)

  const workers: Worker[] = []
  const start = (extra: Record<string, string> = { SHARE: 'yes' }) => {
    const worker: Worker = { process: startWorker({ ...environment, ...extra }), here: [] }
    createInterface({ input: worker.process.stdout! }).on('line', (line) => {
      worker.here = JSON.parse(line).here
    })
    workers.push(worker)
    return worker
  }
  const kill = async (worker: Worker) => {
    workers.splice(workers.indexOf(worker), 1)
    worker.process.kill('SIGKILL')
    await once(worker.process, 'exit')
  }
  const shared = () =>
    vi.waitFor(
      () => {
        const all = workers.flatMap(({ here }) => here).sort()
        expect(all).toEqual(Array.from({ length: partitions }, (_, i) => i))
        for (const { here } of workers) expect(here.length).toBeGreaterThan(0)
      },
      { timeout: 40_000, interval: 100 },
    )

  const expected: Books = new Map()
  const enough = new AbortController()
  const writing = write(storage.eventStore, expected, 5_000, enough.signal)
  for (let i = 0; i < 3; i++) start()
  await shared()
  for (let round = 0; round < 4; round++) {
    // One dies, one sleeps until the group has given its partitions away and beyond, one comes that asks nobody.
    const [victim, sleeper] = workers as [Worker, Worker]
    sleeper.process.kill('SIGSTOP')
    await kill(victim)
    start()
    const double = start({})
    await delay(round % 2 === 0 ? 8_000 : 500)
    sleeper.process.kill('SIGCONT')
    await delay(1_000)
    await kill(double)
  }
  await shared()
  enough.abort()
  await writing
  await expectBooks(pool, await storage.eventLog.partitions('order'), expected)

  for (const worker of [...workers]) await kill(worker)
  await close()
})
