// A claim is renewed every twelve hours, so that brokers never forget its producer. Time is made to pass.
import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, expect, test, vi } from 'vitest'
import { MemoryBroker } from './memory-broker.test-support.js'
import { claimsIn, openStore, readLog, topic } from './store.test-support.js'

afterEach(() => {
  vi.useRealTimers()
})

const hour = 3_600_000

/** Lets everything happen that waits for no timer. */
async function turns(): Promise<void> {
  for (let n = 0; n < 50; n++) await turn()
}

async function pass(milliseconds: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(milliseconds)
  await turns()
}

test('a claim is renewed after twelve hours, and again, while the partition is served without a pause', async () => {
  vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] })
  const broker = new MemoryBroker()
  const store = await openStore(broker)
  expect(await store.write('order-1', 0)).toMatchObject({ version: 1 })
  await pass(12 * hour - 1_000)
  expect(claimsIn(broker)).toHaveLength(1)
  for (const renewals of [1, 2]) {
    await pass(2_000)
    expect(claimsIn(broker)).toHaveLength(1 + renewals)
    expect(store.status()).toMatchObject([{ state: 'serving' }])
    expect(store.health()).toEqual({ ready: true, reasons: [] })
    expect(await store.write('order-1', renewals)).toMatchObject({ version: 1 + renewals })
    await pass(12 * hour - 2_000)
  }
  // Far less than the day after which a broker forgets an idle producer: what is written then is still fenced by it.
  expect(broker.partition(topic, 0).producers.size).toBe(1)
  vi.useRealTimers()
  expect((await readLog(broker, store)).map(({ version }) => version)).toEqual([1, 2, 3])
  await store.close()
})
