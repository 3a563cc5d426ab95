// What `pnpm faults` takes, and the sentence for whoever writes something else.
import { parseArgs } from 'node:util'

/** What `--only` takes. */
export const takeoverKinds = ['answers', 'graceful', 'killed', 'frozen', 'leader', 'zombies'] as const
export type TakeoverKind = (typeof takeoverKinds)[number]

export const usage = `pnpm faults: the proof that nothing is lost.

  pnpm faults --for 10m [--seed n]                 faults on three real brokers and three instances, for so long
  pnpm faults --model [--histories n] [--seed n]   random histories on a simulated cluster; a seed alone is told step by step
  pnpm faults --planted [--histories n]            bugs planted into copies of the sources: passes only if each is noticed
  pnpm faults --takeovers [--times n] [--only kind]… [--seed n]
                                                   owners that go: ${takeoverKinds.join(', ')}
  pnpm faults --help                               this

Times are whole numbers of s, m or h. Without a seed one is drawn, and told. JSON lines go to standard output. The exit
code is 0 when every promise held, 1 when one was broken, 2 when this was not understood.`

/** What was asked for; seeds and counts are whole numbers from 1. */
export type Asked =
  | { readonly what: 'help' }
  | { readonly what: 'suite'; readonly milliseconds: number; readonly seed: number | undefined }
  | { readonly what: 'model'; readonly histories: number | undefined; readonly seed: number | undefined }
  | { readonly what: 'planted'; readonly histories: number | undefined }
  | {
      readonly what: 'takeovers'
      readonly times: number
      readonly kinds: readonly TakeoverKind[]
      readonly seed: number
    }

const options = {
  for: { type: 'string' },
  model: { type: 'boolean' },
  planted: { type: 'boolean' },
  takeovers: { type: 'boolean' },
  times: { type: 'string' },
  only: { type: 'string', multiple: true },
  histories: { type: 'string' },
  seed: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const

/** @throws RangeError with a sentence for people */
export function readArguments(args: readonly string[]): Asked {
  // Undo what package managers put between: `pnpm faults -- --for 1m`.
  const { values, positionals } = parsed(args.filter((arg) => arg !== '--'))
  if (positionals.length > 0) throw new RangeError(`${positionals[0]} is not understood.`)
  if (values.help) return { what: 'help' }
  const seed = count('--seed', values.seed)
  const histories = count('--histories', values.histories)
  if (values.model || values.planted) {
    if (values.for !== undefined) throw new RangeError('--for is of the suite on real brokers, not of the model.')
    return values.planted ? { what: 'planted', histories } : { what: 'model', histories, seed }
  }
  const times = count('--times', values.times)
  if (values.takeovers) {
    const unknown = values.only?.find((kind) => !(takeoverKinds as readonly string[]).includes(kind))
    if (unknown !== undefined) throw new RangeError(`--only takes one of ${takeoverKinds.join(', ')}, not ${unknown}.`)
    const kinds = takeoverKinds.filter((kind) => values.only?.includes(kind) ?? true)
    return { what: 'takeovers', times: times ?? 30, kinds, seed: seed ?? 1 }
  }
  if (times !== undefined || values.only !== undefined) throw new RangeError('--times and --only go with --takeovers.')
  if (histories !== undefined) throw new RangeError('--histories goes with --model and --planted.')
  if (values.for === undefined) throw new RangeError('Say what is to be proven: --for 10m, or --model.')
  const time = /^([1-9]\d{0,4})(s|m|h)$/.exec(values.for)
  if (time === null) throw new RangeError(`--for takes a time such as 90s, 10m or 1h, not ${values.for}.`)
  const unit = { s: 1_000, m: 60_000, h: 3_600_000 }[time[2] as 's' | 'm' | 'h']
  return { what: 'suite', milliseconds: Number(time[1]) * unit, seed }
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true })
  } catch (error) {
    throw new RangeError((error as Error).message.split('. ')[0])
  }
}

function count(name: string, given: string | undefined): number | undefined {
  if (given === undefined) return undefined
  if (!/^[1-9]\d{0,8}$/.test(given)) throw new RangeError(`${name} takes a whole number from 1, not ${given}.`)
  return Number(given)
}
