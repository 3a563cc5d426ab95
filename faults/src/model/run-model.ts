// Many histories, one after another, and what they came to.
import type { Facts } from '../checker/check-history.js'
import type { Disturbance } from './climate.js'
import { type Played, playHistory } from './play-history.js'
import type { Subject } from './subject.js'

/** How many, and from which seed on. */
export interface ModelRun {
  readonly from: number
  readonly histories: number
  /** A disturbance that rules all of them. */
  readonly often?: Disturbance
  /** Ends the run early, before the next history. */
  readonly enough?: (played: Played) => boolean
}

export interface ModelResult {
  readonly histories: number
  readonly perMinute: number
  readonly failed: readonly Played[]
  readonly totals: Readonly<Record<string, number>>
}

/** Ends a run with a planted bug. A copy that only breaks down may be a bad copy: that shows nothing. */
export function noticed({ verdict }: Played): boolean {
  return verdict.violations.some(({ rule }) => rule !== 'crash')
}

export async function runModel(subject: Subject, run: ModelRun): Promise<ModelResult> {
  const failed: Played[] = []
  const totals: Record<string, number> = { steps: 0, instances: 0 }
  const add = (name: string, value: number) => {
    totals[name] = (totals[name] ?? 0) + value
  }
  const began = performance.now()
  let histories = 0
  while (histories < run.histories) {
    const played = await playHistory(run.from + histories, subject, run.often)
    histories++
    const { longestGap: _, ...counts } = played.verdict.facts
    for (const [name, count] of Object.entries(counts satisfies Omit<Facts, 'longestGap'>)) add(name, count)
    add('steps', played.steps)
    add('instances', played.instances)
    if (played.verdict.violations.length > 0) failed.push(played)
    if (run.enough?.(played)) break
  }
  return { histories, perMinute: Math.round(histories / ((performance.now() - began) / 60_000)), failed, totals }
}
