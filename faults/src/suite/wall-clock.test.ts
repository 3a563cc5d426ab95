import { afterEach, expect, test } from 'vitest'
import { setWallClock } from './wall-clock.js'

afterEach(() => setWallClock(0))

test('a clock that jumped: now and new dates are off, given ones and the monotonic clock are not', () => {
  const [wall, steady] = [Date.now(), performance.now()]
  setWallClock(-3_600_000)
  expect(Date.now()).toBeLessThan(wall - 3_599_000)
  const made = new Date()
  expect(made.getTime()).toBeLessThan(wall - 3_599_000)
  expect(new Date(5).getTime()).toBe(5)
  expect(made).toBeInstanceOf(Date)
  expect(performance.now() - steady).toBeLessThan(1_000)
  setWallClock(0)
  expect(Date.now()).toBeGreaterThanOrEqual(wall)
})
