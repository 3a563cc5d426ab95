// `pnpm bench [group…] [--quick] [--json] [--strict]`: runs groups of figures and prints them.
import { appendBench } from './append.js'
import type { Bench } from './bench.js'
import { commandsBench } from './commands.js'
import { dispatchBench } from './dispatch.js'
import { type Figure, toFigure } from './figure.js'
import { localStoreBench } from './local-store.js'
import { describeMachine } from './machine.js'
import { projectionBenches } from './projections/projection-benches.js'
import { replayBench } from './replay.js'
import { replicaBench } from './replica.js'
import { replicaMemoryBench } from './replica-memory.js'
import { routingBench } from './routing.js'
import { Services } from './services.js'
import { summary } from './summary.js'

const benches: readonly Bench[] = [
  dispatchBench,
  appendBench,
  commandsBench,
  routingBench,
  replayBench,
  ...projectionBenches,
  localStoreBench,
  replicaBench,
  replicaMemoryBench,
]
const flags = ['--quick', '--json', '--strict']

const asked = process.argv.slice(2)
const names = asked.filter((argument) => !argument.startsWith('--'))
/** `projections` names all groups that begin with it, `projections.lag` one of them. */
const isCalled = ({ name }: Bench, asked: string) => name === asked || name.startsWith(`${asked}.`)
const unknown = asked.filter(
  (argument) => !flags.includes(argument) && !benches.some((bench) => isCalled(bench, argument)),
)
if (unknown.length > 0) {
  console.error(
    `Unknown: ${unknown.join(', ')}. Groups: ${benches.map((bench) => bench.name).join(', ')}. Flags: ${flags.join(', ')}.`,
  )
  process.exit(2)
}
if (process.env.NODE_ENV !== 'production') {
  console.error(
    'Measure with NODE_ENV=production, as `pnpm bench` does: kafkajs and others behave differently without it.',
  )
  process.exit(2)
}

const services = new Services()
const figures: Figure[] = []
const begun = performance.now()
const elapsed = () => `${((performance.now() - begun) / 1000).toFixed(0)} s`

// Whatever ends the run, the broker and the database end with it.
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => void services.stop().finally(() => process.exit(130)))
}

try {
  for (const bench of benches) {
    if (names.length > 0 ? !names.some((name) => isCalled(bench, name)) : bench.onlyWhenNamed) continue
    process.stderr.write(`[${elapsed()}] ${bench.name}: ${bench.measures}\n`)
    await bench.run({
      services,
      quick: asked.includes('--quick'),
      rounds: 3,
      report(measured) {
        const figure = toFigure(measured)
        figures.push(figure)
        process.stdout.write(`${JSON.stringify(figure)}\n`)
      },
      progress: (message) => void process.stderr.write(`[${elapsed()}]   ${message}\n`),
    })
  }
  const lines = [...summary(figures), '', ...(await describeMachine(services)), `Took ${elapsed()}.`]
  // With --json, standard output holds nothing but the JSON lines.
  const output = asked.includes('--json') ? process.stderr : process.stdout
  output.write(`\n${lines.join('\n')}\n`)
} finally {
  await services.stop()
}
process.exitCode = asked.includes('--strict') && figures.some((figure) => figure.pass === false) ? 1 : 0
