// The demo as a process, on the embedded default. Runs what `pnpm build` built.
import { afterEach, expect, test } from 'vitest'
import { ProcessUnderTest } from './contract/process-under-test.test-support.js'

const running: ProcessUnderTest[] = []
afterEach(() => {
  for (const each of running.splice(0)) each.kill('SIGKILL')
})

function demo(...args: string[]): ProcessUnderTest {
  const one = new ProcessUnderTest('demo', args, {})
  running.push(one)
  return one
}

test('--once shows everything, and ends', async () => {
  const one = demo('--once')
  expect(await one.ended).toBe(0)
  expect(one.err).toBe('')
  expect(one.out).toMatch(/\d orders\/s.*Your turn/s)
})

test.each(['→', 'A second of'])('SIGTERM ends it, also in the middle of a scene: %s', async (scene) => {
  const one = demo()
  await expect.poll(() => one.out, { timeout: 20_000, interval: 1 }).toContain(scene)
  one.kill('SIGTERM')
  expect(await one.ended).toBe(0)
  expect(one.err).toBe('')
})
