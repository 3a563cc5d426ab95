// What a run tells, as JSON lines: each strike, then totals by fault, then figures.
import type { Facts, Violation } from '../checker/check-history.js'

/** One fault alone or a pair, and what became of it. */
export interface StrikeReport {
  /** When, milliseconds since the first. */
  readonly at: number
  readonly happened: readonly { readonly name: string; readonly struck: string }[]
  /** Milliseconds from the first harm until all was put right. */
  readonly lasted: number
  /** Milliseconds from then until each partition had acknowledged a write asked for since. */
  readonly healing: number
  /** By partition: for how long it acknowledged nothing, milliseconds. */
  readonly gaps: readonly number[]
}

/** Shorter ones are the clients' own pauses. */
const worthNaming = 1_000

export class Report {
  readonly #strikes: StrikeReport[] = []
  readonly #say: (line: object) => void

  constructor(say: (line: object) => void) {
    this.#say = say
  }

  get faults(): number {
    return this.#strikes.reduce((sum, { happened }) => sum + happened.length, 0)
  }

  get longestGap(): number {
    return Math.max(0, ...this.#strikes.flatMap(({ gaps }) => gaps))
  }

  strike(strike: StrikeReport, acknowledged: number): void {
    this.#strikes.push(strike)
    const { at, happened, lasted, healing, gaps } = strike
    const named = gaps.flatMap((gap, partition) => (gap >= worthNaming ? [[partition, Math.round(gap)] as const] : []))
    this.#say({
      ...{ name: 'fault', at: Math.round(at), fault: happened.map(({ name }) => name) },
      ...{ struck: happened.map(({ struck }) => struck), lasted: Math.round(lasted), healing: Math.round(healing) },
      ...{ partitions: Object.fromEntries(named), gap: Math.round(Math.max(...gaps)), unit: 'ms', acknowledged },
    })
  }

  /** A line for each fault: how often, and the longest gaps alone and in pairs. */
  totals(): void {
    const times = new Map<string, StrikeReport[]>()
    for (const strike of this.#strikes) {
      for (const { name } of strike.happened) times.set(name, [...(times.get(name) ?? []), strike])
    }
    for (const [fault, strikes] of [...times].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const alone = strikes.filter(({ happened }) => happened.length === 1)
      const paired = strikes.filter(({ happened }) => happened.length > 1)
      const gaps = { longestGapAlone: longestGap(alone), longestGapInPairs: longestGap(paired) }
      this.#say({ name: 'faults.total', fault, times: strikes.length, alone: alone.length, ...gaps, unit: 'ms' })
    }
  }

  /** The figures, as `pnpm bench` prints its own; the reference is the log as Java reads it. */
  figures(facts: Facts, violations: readonly Violation[]): void {
    const broken = (...rules: string[]) => violations.filter(({ rule }) => rules.includes(rule)).length
    const none = { target: '<= 0', reference: 'events in the log', referenceValue: facts.events }
    const figure = (name: string, value: number, unit: string, rest: object = {}) => {
      this.#say({ name: `faults.${name}`, value, unit, ...rest, ...('target' in rest && { pass: value === 0 }) })
    }
    figure('struck', this.faults, 'faults')
    figure('acknowledged', facts.acknowledged, 'appends')
    figure('lost', broken('not-lost', 'strong-reads'), 'appends', none)
    figure('duplicated', broken('once'), 'commands', none)
    figure('phantom', broken('nothing-refused', 'no-strays', 'true-reads'), 'appends', none)
    figure('gapped', broken('versions', 'whole-log', 'whole-appends'), 'streams', none)
    figure('doubly-won', broken('one-winner'), 'versions', none)
    figure('broken', violations.length, 'promises, these included', none)
    figure('longest-gap', Math.round(this.longestGap), 'ms')
    this.#say({ name: 'faults.facts', ...facts })
  }
}

function longestGap(strikes: readonly StrikeReport[]): number | null {
  return strikes.length === 0 ? null : Math.round(Math.max(...strikes.flatMap(({ gaps }) => gaps)))
}
