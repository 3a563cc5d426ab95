import { expect, test } from 'vitest'
import { GroupLease } from './group-lease.js'

const settled = async (promise: Promise<void>) => {
  let done = false
  void promise.then(() => {
    done = true
  })
  await new Promise((resolve) => setImmediate(resolve))
  return done
}

test('a word of the group is good for two thirds of the session after it was asked for; under a name, for a second', () => {
  const lease = new GroupLease({ sessionTimeout: 6_000 })
  expect(lease.sureUntil).toBe(0)
  lease.extend(1_000)
  expect(lease.sureUntil).toBe(5_000)
  const named = new GroupLease({ sessionTimeout: 6_000, instanceId: 'one' })
  named.extend(1_000)
  expect(named.sureUntil).toBe(2_000)
})

test('only what was asked after somebody began to wait confirms it', async () => {
  const lease = new GroupLease({ sessionTimeout: 6_000 })
  const before = performance.now() - 1
  const confirmed = lease.confirmed()
  lease.extend(before)
  expect(await settled(confirmed)).toBe(false)
  expect(lease.isAwaited).toBe(true)
  lease.extend(performance.now())
  expect(await settled(confirmed)).toBe(true)
  expect(lease.isAwaited).toBe(false)
})

test('when it is over nobody waits for it, and a late word brings nothing back', async () => {
  const lease = new GroupLease({ sessionTimeout: 6_000 })
  const confirmed = lease.confirmed()
  lease.end()
  lease.extend(performance.now())
  expect(lease.sureUntil).toBe(0)
  expect(await settled(confirmed)).toBe(true)
  expect(await settled(lease.confirmed())).toBe(true)
})
