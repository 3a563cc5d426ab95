// The short form of the fault suite, as `pnpm faults` runs it: a few faults alone and a few pairs, and the judge.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const program = fileURLToPath(new URL('../../../scripts/faults.mjs', import.meta.url))
/** Which faults these are, schedule.ts decides. */
const seed = 4

// It starts brokers and Postgres of its own, by startKafka and startPostgres.
test('a minute of faults on three brokers and three instances breaks no promise', { timeout: 300_000 }, async () => {
  const suite = spawn(process.execPath, [program, '--for', '60s', '--seed', String(seed)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let told = ''
  suite.stdout.on('data', (chunk: Buffer) => {
    told += chunk
  })
  const code = await new Promise((resolve) => suite.once('close', resolve))
  const lines = told.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : []))
  const value = (name: string) => lines.find((line) => line.name === name)?.value
  expect(lines.filter(({ name }) => name === 'violation' || name === 'faults.failed')).toEqual([])
  expect(value('faults.struck')).toBeGreaterThanOrEqual(4)
  expect(value('faults.acknowledged')).toBeGreaterThan(500)
  expect(value('faults.broken')).toBe(0)
  expect(code).toBe(0)
})
