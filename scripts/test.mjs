// `pnpm test`: the type tests, the pure tests, and the tests on real Kafka and Postgres where these can be had.
//
// What cannot run is said, with what to install; NARRATIVE_REQUIRE_SERVICES=1 makes it a failure.
// Further arguments go to vitest: `pnpm test packages/core -t "a command"`.
import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { startSharedServices } from '../packages/testing/dist/services/shared-services.js'
import { forgetTotals, readVitestReport, saveTotals, vitestReport } from './lib/test-totals.mjs'

const demanded = process.env.NARRATIVE_REQUIRE_SERVICES === '1'
forgetTotals()

// Both take seconds and do not disturb each other.
const [services, typeTests] = await Promise.all([startSharedServices(), run('tsc', ['-p', 'tsconfig.test.json'])])

const used = ({ source }, where) =>
  `${source === 'local' ? 'on this machine, without Docker' : `by ${source}`} (${where})`
if (services.kafka) console.log(`Kafka: ${used(services.kafka, services.kafka.brokers)}`)
if (services.postgres) console.log(`Postgres: ${used(services.postgres, new URL(services.postgres.url).host)}`)
for (const fault of services.faults) console.log(`\n${fault.message}`)

// A test on real services names what it starts.
const missing = ['Kafka', 'Postgres'].filter((name) => !services[name.toLowerCase()])
const left = integrationTests().filter((file) =>
  missing.some((name) => readFileSync(file, 'utf8').includes(`start${name}`)),
)
if (left.length > 0) {
  console.log(
    `\n${left.length} files of tests on ${missing.join(' and ')} are ${demanded ? 'DEMANDED and cannot run' : 'skipped'}.`,
  )
}

const report = vitestReport(process.pid)
const vitest = await run(
  'vitest',
  ['run', ...['--reporter=default', '--reporter=json', `--outputFile.json=${report}`], ...process.argv.slice(2)],
  { ...services.environment, ...(left.length > 0 && { NARRATIVE_SKIPPED_TESTS: left.join(',') }) },
)
await services.stop()

const tests = readVitestReport(report, vitest)
const lines = [
  `Tests: ${tests.passed} passed, ${tests.failed} failed, ${tests.skipped} skipped, in ${tests.files} files`,
  `Type tests: ${typeTests === 0 ? 'passed' : 'FAILED'}`,
]
if (left.length > 0) {
  lines.push(
    `Without ${missing.join(' and ')}: ${left.length} files of tests ${demanded ? 'could NOT run' : 'skipped'}; pnpm doctor says what to install`,
  )
}
const passed = tests.passed + (typeTests === 0 ? 1 : 0)
const failed = tests.failed + (typeTests === 0 ? 0 : 1) + (demanded ? left.length : 0)
const skipped = tests.skipped + (demanded ? 0 : left.length)

saveTotals({ lines, passed, failed, skipped })
console.log(`\n${lines.join('\n')}\n`)
process.exitCode = failed === 0 && vitest === 0 ? 0 : 1

/** Runs a program of the workspace and gives its exit code. */
function run(name, args, environment = {}) {
  const program = spawn(`node_modules/.bin/${name}`, args, {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ...environment },
  })
  // A terminal tells the whole group, a supervisor of processes only this one.
  const forward = (signal) => program.kill(signal)
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, forward)
  return new Promise((resolve, reject) => {
    program.once('error', reject)
    program.once('exit', (code) => {
      for (const signal of ['SIGINT', 'SIGTERM']) process.off(signal, forward)
      resolve(code ?? 1)
    })
  })
}

function integrationTests() {
  const sources = ['packages', 'samples'].flatMap((parent) =>
    readdirSync(parent).map((name) => `${parent}/${name}/src`),
  )
  sources.push('faults/src')
  return sources
    .filter((source) => existsSync(source))
    .flatMap((source) => readdirSync(source, { recursive: true }).map((file) => `${source}/${file}`))
    .filter((file) => file.endsWith('.int.test.ts'))
}
