// Owners that die with a command in hand, and owners that write too late, as `pnpm faults --takeovers` has them.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const program = fileURLToPath(new URL('../../../scripts/faults.mjs', import.meta.url))

// It starts brokers of its own, by startKafka. How long a takeover takes is measured by hand: other tests run beside this.
test('a command has one answer, wherever its owner died; a zombie writes nothing', { timeout: 300_000 }, async () => {
  const kinds = ['--only', 'answers', '--only', 'zombies']
  const takeovers = spawn(process.execPath, [program, '--takeovers', '--times', '1', ...kinds], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let told = ''
  takeovers.stdout.on('data', (chunk: Buffer) => {
    told += chunk
  })
  const code = await new Promise((resolve) => takeovers.once('close', resolve))
  const lines = told.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : []))
  const figure = (name: string) => lines.find((line) => line.name === name)
  expect(lines.filter(({ name }) => name === 'violation')).toEqual([])
  expect(figure('takeover.answers')).toMatchObject({ value: 0, ok: true })
  expect(figure('takeover.violations')).toMatchObject({ value: 0 })
  expect(figure('zombies.accepted')).toMatchObject({ value: 0, ok: true })
  expect(code).toBe(0)
})
