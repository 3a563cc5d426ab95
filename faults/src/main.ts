// `pnpm faults`: the proof, by hand and in CI.
//
//   pnpm faults --model [--histories n] [--seed n]   random histories on a simulated cluster; one seed plays one, and tells it
//   pnpm faults --model --planted                    bugs planted into copies of the sources: exits 0 only if each goes red
import { parseArgs } from 'node:util'
import { model, planted, replay } from './model/model-command.js'

const { values } = parseArgs({
  options: {
    model: { type: 'boolean', default: false },
    planted: { type: 'boolean', default: false },
    histories: { type: 'string', default: '2000' },
    seed: { type: 'string' },
  },
})
if (!values.model) {
  console.error('Say what is to be proven: --model [--histories n] [--seed n], or --model --planted.')
  process.exit(2)
}
const histories = Number(values.histories)
const passed = await (values.planted
  ? planted(histories)
  : values.seed !== undefined && !process.argv.includes('--histories')
    ? replay(Number(values.seed))
    : model(Number(values.seed ?? 1), histories))
process.exitCode = passed ? 0 : 1
