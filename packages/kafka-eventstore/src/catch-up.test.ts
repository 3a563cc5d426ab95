import { silentLogger } from '@narrative/core'
import { afterEach, expect, test, vi } from 'vitest'
import { catchUp } from './catch-up.js'
import type { FetchRequest } from './driver/kafka-driver.js'
import { MemoryBroker } from './memory-broker.test-support.js'
import { MemoryReplica } from './replica/memory-replica.js'
import { openStore, topic } from './store.test-support.js'

afterEach(() => {
  vi.useRealTimers()
})

test('a catch-up that takes long says how far it is, every two seconds', async () => {
  const broker = new MemoryBroker()
  const store = await openStore(broker)
  for (let i = 0; i < 9; i++) await store.write(`order-${i}`)
  await store.close()

  // Two records a second; the next fetch is under way while the last one is handled.
  vi.useFakeTimers({ toFake: ['performance'] })
  const real = broker.driver()
  const driver = {
    ...real,
    fetch: async (request: FetchRequest) => {
      vi.advanceTimersByTime(1_000)
      const { records, highWatermark } = await real.fetch(request)
      return { records: records.slice(0, 2), nextOffset: request.offset + Math.min(2, records.length), highWatermark }
    },
  }
  const said: [string, object][] = []
  const logger = { ...silentLogger, info: (facts: object, message: string) => void said.push([message, facts]) }
  const replica = new MemoryReplica(topic, 0)
  await catchUp({ driver, topic, partition: 0, replica, logger, onVoid: () => {} }, 10)

  expect(replica.point.offset).toBe(10)
  expect(said).toEqual([
    [`${topic}/0: read 2 of 10 records (1/s)`, { topic, partition: 0, offset: 2, end: 10, rate: 1 }],
    [`${topic}/0: read 6 of 10 records (2/s)`, { topic, partition: 0, offset: 6, end: 10, rate: 2 }],
  ])
})
