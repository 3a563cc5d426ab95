// `pnpm faults`: the proof that nothing is lost. `pnpm faults --help` says what it takes.
//
// In a process of its own: kafkajs retries otherwise than in service without NODE_ENV=production, and histories are many
// small objects, which a larger young generation collects in less time.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('../faults/dist/main.js', import.meta.url))
const child = spawn(process.execPath, ['--max-semi-space-size=64', main, ...process.argv.slice(2)], {
  stdio: 'inherit',
  // Brokers are started here far more often than they live to be warm.
  env: { JAVA_TOOL_OPTIONS: '-XX:TieredStopAtLevel=1', ...process.env, NODE_ENV: 'production' },
})
// The child stops what it started; this process only waits for it.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
child.on('exit', (code, signal) => process.exit(code ?? (signal ? 1 : 0)))
