// What a follower tells its session of an event's past.
import { silentLogger, systemClock } from '@narrative/core'
import { expect, test } from 'vitest'
import { OrderViewed } from '../application/orders.test-support.js'
import { failurePolicy } from '../definition/failure-policy.js'
import { Follower } from './follower.js'
import { logOf } from './history.test-support.js'

async function replayEndOf(replayed: boolean): Promise<number> {
  const log = logOf([{ order: 0, event: new OrderViewed('eve') }], () => 1)
  // It came after the follower had looked where the log ends.
  const partitions = async () => log.ends.map((partition) => ({ ...partition, end: 0 }))
  return new Promise((resolve) => {
    const follower = new Follower({
      ...{ name: 'a', categories: ['order'], onFailure: failurePolicy(), replayed },
      ...{ clock: systemClock, logger: silentLogger },
      eventLog: { partitions, subscribe: (options) => log.subscribe(options) },
      open: async (places) => ({
        checkpoints: places.map(({ topic, partition }) => ({ topic, partition, offset: 0, claim: null })),
        parked: 0,
        isParked: () => false,
        async apply(_batch, replayEnd) {
          resolve(replayEnd)
          void follower.stop()
        },
        attend: async () => false,
        flush: async () => {},
        close: async () => {},
      }),
    })
    void follower.start()
  })
}

test('what comes while a view is followed is new; what comes while it is rebuilt is not: its effects are had by those who follow', async () => {
  expect(await replayEndOf(false)).toBe(0)
  expect(await replayEndOf(true)).toBe(Number.POSITIVE_INFINITY)
})
