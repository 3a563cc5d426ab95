// `pnpm check`: everything that can be said about the code without running it, one named step after another.
// `pnpm check docs exports` runs the named steps alone. Every step runs, even when one before it failed.
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'

const node = process.execPath
const bin = (name) => `node_modules/.bin/${name}`
const own = (name, ...args) => [node, `scripts/check/${name}.mjs`, ...args]

const arrows = [
  'scripts/check/node_modules/.bin/depcruise',
  ...['--config', '.dependency-cruiser.cjs', '--output-type', 'err-long'],
  ...['packages', 'samples'].flatMap((parent) => readdirSync(parent).map((name) => `${parent}/${name}/src`)),
  'bench/src',
  'faults/src',
]

/** Each step: a name, what it proves, and the commands it consists of. */
const steps = [
  {
    name: 'style',
    proves: 'formatted and free of lint',
    commands: [[bin('biome'), 'check', '--error-on-warnings', '.']],
  },
  {
    name: 'types',
    proves: 'sources, tests, type tests and snippets compile',
    commands: [
      [bin('tsc'), '-b'],
      [bin('tsc'), '-p', 'tsconfig.test.json'],
    ],
  },
  { name: 'architecture', proves: 'no import against the arrows', commands: [arrows] },
  { name: 'exports', proves: 'the public API is what its list says, and documented', commands: [own('exports')] },
  { name: 'packages', proves: 'what would be published resolves for its users', commands: [own('packages')] },
  {
    name: 'docs',
    proves: 'code in documents is compiled code, links lead somewhere, snippet tests pass',
    commands: [own('snippets'), own('links'), [bin('vitest'), 'run', 'docs', '--silent']],
  },
]

const asked = process.argv.slice(2)
const unknown = asked.filter((name) => !steps.some((step) => step.name === name))
if (unknown.length > 0) {
  console.error(`No step is called ${unknown.join(', ')}. Steps: ${steps.map((step) => step.name).join(', ')}.`)
  process.exit(2)
}

const results = []
for (const step of steps) {
  if (asked.length > 0 && !asked.includes(step.name)) continue
  const started = Date.now()
  const failed = step.commands.filter((command) => !passes(command))
  results.push({ ...step, failed, seconds: ((Date.now() - started) / 1000).toFixed(1) })
}

console.log()
for (const { name, proves, failed, seconds } of results) {
  console.log(
    `${failed.length === 0 ? 'ok    ' : 'FAILED'}  ${name.padEnd(13)} ${`${seconds} s`.padStart(7)}  ${proves}`,
  )
}
process.exit(results.some(({ failed }) => failed.length > 0) ? 1 : 0)

/** Runs a command; its output is shown only when it fails. */
function passes([command, ...args]) {
  const run = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
  if (run.status === 0) return true
  console.log(`\n── ${[command, ...args].join(' ').replace(`${node} `, 'node ')}\n`)
  console.log(`${run.stdout ?? ''}${run.stderr ?? ''}${run.error ? `${run.error.message}\n` : ''}`.trim())
  return false
}
