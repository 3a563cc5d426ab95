// `pnpm test`: the type tests, the pure tests, and the tests on real Kafka and Postgres where these can be had.
//
// What cannot run is said, with what to install; NARRATIVE_REQUIRE_SERVICES=1 makes it a failure.
// Further arguments go to vitest: `pnpm test packages/core -t "a command"`.
import { spawn } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { startSharedServices } from '../packages/testing/dist/services/shared-services.js'
import { forgetTotals, readVitestReport, saveTotals, vitestReport } from './lib/test-totals.mjs'

const demanded = process.env.NARRATIVE_REQUIRE_SERVICES === '1'
forgetTotals()

// Both take seconds and do not disturb each other.
const [services, typeTests] = await Promise.all([
  startSharedServices().catch((error) => ({ missing: error })),
  run('tsc', ['-p', 'tsconfig.test.json']),
])

if (services.missing) {
  console.log(
    `\n${services.missing.message}\n\nTests on real services (*.int.test.ts) are ${demanded ? 'DEMANDED' : 'skipped'}.\n`,
  )
} else {
  console.log(`Kafka: ${services.kafka.source} (${services.kafka.brokers})`)
  console.log(`Postgres: ${services.postgres.source} (${new URL(services.postgres.url).host})`)
}

const vitest = await run(
  'vitest',
  [
    'run',
    ...(services.missing ? ['--project', 'unit'] : []),
    ...['--reporter=default', '--reporter=json', `--outputFile.json=${vitestReport}`],
    ...process.argv.slice(2),
  ],
  services.environment,
)
await services.stop?.()

const tests = readVitestReport(vitest)
const lines = [
  `Tests: ${tests.passed} passed, ${tests.failed} failed, ${tests.skipped} skipped, in ${tests.files} files`,
  `Type tests: ${typeTests === 0 ? 'passed' : 'FAILED'}`,
]
if (services.missing) {
  const count = integrationTests()
  lines.push(
    `Tests on real services: ${count} files ${demanded ? 'could NOT run' : 'skipped'}; \`pnpm doctor\` says what to install`,
  )
  if (demanded) tests.failed += count
  else tests.skipped += count
}
if (typeTests === 0) tests.passed += 1
else tests.failed += 1

const { passed, failed, skipped } = tests
saveTotals({ lines, passed, failed, skipped })
console.log(`\n${lines.join('\n')}\n`)
process.exitCode = failed === 0 && vitest === 0 ? 0 : 1

/** Runs a program of the workspace and gives its exit code. */
function run(name, args, environment = {}) {
  const program = spawn(`node_modules/.bin/${name}`, args, {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ...environment },
  })
  return new Promise((resolve, reject) => {
    program.once('error', reject)
    program.once('exit', (code) => resolve(code ?? 1))
  })
}

function integrationTests() {
  const sources = ['packages', 'samples'].flatMap((parent) =>
    readdirSync(parent).map((name) => `${parent}/${name}/src`),
  )
  const files = sources.filter(existsSync).flatMap((source) => readdirSync(source, { recursive: true }))
  return files.filter((file) => file.endsWith('.int.test.ts')).length
}
