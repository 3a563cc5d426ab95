// Stores that lose commits, logs that are cut anywhere, sessions that hold little: whatever may happen between a log and its fold.
import { NarrativeError } from '@narrative/core'
import fc from 'fast-check'
import { beforeEach } from 'vitest'
import type { ReadModels } from '../index.js'

/** A store whose commits get lost, before they happen or after, as `faults` says: 0 neither, 1 before, 2 after. */
export function unreliable(store: ReadModels, faults: number[]): ReadModels {
  const lost = (when: string) => new NarrativeError('POSTGRES_UNREACHABLE', { message: `Lost ${when} the commit.` })
  return {
    ...store,
    async openTable(projection, partitions) {
      const storage = await store.openTable(projection, partitions)
      return {
        ...storage,
        async commit(changes) {
          const fault = faults.pop()
          if (fault === 1) throw lost('before')
          await storage.commit(changes)
          if (fault === 2) throw lost('after')
        },
      }
    },
  }
}

/** How a log is cut into batches. */
export const cuts = fc.infiniteStream(fc.integer({ min: 1, max: 20 }))
/** What becomes of the first commits. */
export const faults = fc.array(fc.nat(2), { maxLength: 2 })

/** Small enough that rows leave the cache and commits fill up within a history. */
export const limits = fc.record({
  largestCommit: fc.integer({ min: 1, max: 40 }),
  longestGathering: fc.constant(5),
  cachedBytes: fc.integer({ min: 1, max: 4_000 }),
})

/**
 * Registers a hook, and gives what makes a property's run one that the next test waits for: fast-check leaves the run that a time limit
 * interrupts to itself, and it would go on in the tables of the next.
 */
export function runsToTheEnd() {
  let latest: Promise<void> = Promise.resolve()
  beforeEach(() => latest)
  return <Given extends unknown[]>(run: (...given: Given) => Promise<void>) =>
    (...given: Given): Promise<void> => {
      const running = run(...given)
      latest = running.catch(() => {}) // fast-check tells of it
      return running
    }
}
