// Two instances that both have their group on their side, as two groups would tell them: they must not fence each other
// in a circle.
import { afterEach, expect, test } from 'vitest'
import { MemoryBroker } from './memory-broker.test-support.js'
import { claimsIn, type OpenedStore, openStore, readLog, until } from './store.test-support.js'

const opened: OpenedStore[] = []
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close()
})

test('two rivals under load wait longer and longer before they claim again, not in step, and nothing is lost', async () => {
  const broker = new MemoryBroker()
  for (let n = 0; n < 2; n++) opened.push(await openStore(broker))
  broker.members = 0 // whoever asks is told that the partition is its own
  const began = performance.now()
  const claimed: number[] = []
  let known = claimsIn(broker).length
  let told = 0
  let stopped = false
  const writing = opened.map(async (store, n) => {
    while (!stopped) {
      const result = await store.write(`order-${n}`)
      if (result.outcome === 'appended') told++
      const claims = claimsIn(broker).length
      for (; known < claims; known++) claimed.push(performance.now() - began)
    }
  })
  await until(() => claimed.length >= 7)
  stopped = true
  await Promise.all(writing)
  // 250 ms and doubled each time, give or take a quarter, for each of the two.
  expect(claimed[6]).toBeGreaterThan(1_500)
  const gaps = claimed.slice(1, 7).map((time, at) => time - claimed[at]!)
  expect(Math.max(...gaps.slice(-3))).toBeGreaterThan(1.5 * gaps[0]!)
  expect(told).toBeGreaterThan(100)
  const events = await readLog(broker, opened[0]!)
  expect(events).toHaveLength(told)
  expect(new Set(events.map(({ metadata }) => metadata.commandId)).size).toBe(told)
}, 40_000)
