// `pnpm bench [group…] [--quick] [--json] [--strict]`: every figure beside its reference, measured in one run.
//
// In a process of its own: NODE_ENV=production must be set before the first import (kafkajs retries otherwise than in
// service without it), and the garbage of one turn is collected before the next.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('../bench/dist/main.js', import.meta.url))
const child = spawn(process.execPath, ['--expose-gc', main, ...process.argv.slice(2)], {
  stdio: 'inherit',
  env: { ...process.env, NODE_ENV: 'production' },
})
// The child stops what it started; this process only waits for it.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
child.on('exit', (code, signal) => process.exit(code ?? (signal ? 1 : 0)))
