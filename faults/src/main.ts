// `pnpm faults`: the proof, by hand and in CI.
//
//   pnpm faults --for 10m [--seed n]                 faults on three real brokers and three instances
//   pnpm faults --model [--histories n] [--seed n]   random histories on a simulated cluster; a seed alone is told step by step
//   pnpm faults --model --planted                    bugs planted into copies of the sources: exits 0 only if each goes red
import { parseArgs } from 'node:util'
import { model, planted, replay } from './model/model-command.js'
import { runSuite } from './suite/run-suite.js'

const { values } = parseArgs({
  options: {
    for: { type: 'string' },
    model: { type: 'boolean', default: false },
    planted: { type: 'boolean', default: false },
    histories: { type: 'string' },
    seed: { type: 'string' },
  },
})

process.exitCode = (await prove()) ? 0 : 1

function prove(): Promise<boolean> {
  const { seed } = values
  if (values.model) {
    if (values.planted) return planted(Number(values.histories ?? 2_000))
    if (seed !== undefined && values.histories === undefined) return replay(Number(seed))
    return model(Number(seed ?? 1), Number(values.histories ?? 2_000))
  }
  const time = /^(\d+)(s|m|h)$/.exec(values.for ?? '')
  if (time === null) {
    console.error(
      'Say what is to be proven: --for 10m [--seed n], --model [--histories n] [--seed n], or --model --planted.',
    )
    process.exit(2)
  }
  const unit = { s: 1_000, m: 60_000, h: 3_600_000 }[time[2] as 's' | 'm' | 'h']
  return runSuite(Number(time[1]) * unit, Number(seed ?? 1 + Math.floor(Math.random() * 1e6)))
}
