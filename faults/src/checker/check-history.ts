// The judge: all rules over one case. Pure, so that the model test, the fault suite and its own tests share it.
import { appendRules } from './append-rules.js'
import { type Case, Evidence } from './evidence.js'
import { logRules } from './log-rules.js'
import { readerRules } from './reader-rules.js'
import type { Finding, Rule } from './rule.js'

export const rules: readonly Rule[] = [...logRules, ...appendRules, ...readerRules]

/** A promise that was broken. */
export interface Violation extends Finding {
  readonly rule: string
  readonly promise: string
}

/** What a case held. */
export interface Facts {
  readonly appends: number
  readonly acknowledged: number
  readonly conflicts: number
  readonly refused: number
  readonly unknown: number
  /** Unknown ones that the log has. */
  readonly unknownThere: number
  readonly reads: number
  readonly events: number
  readonly voids: number
  readonly claims: number
  /** The longest time without an acknowledgement, milliseconds, by `topic/partition`. */
  readonly longestGap: Readonly<Record<string, number>>
}

export interface Verdict {
  readonly violations: readonly Violation[]
  readonly facts: Facts
}

export function checkHistory(given: Case): Verdict {
  const evidence = new Evidence(given)
  const violations = rules.flatMap((rule) =>
    [...rule.find(evidence)].map((finding) => ({ rule: rule.name, promise: rule.promise, ...finding })),
  )
  return { violations, facts: factsOf(evidence) }
}

function factsOf(evidence: Evidence): Facts {
  const { appends, log } = evidence
  const count = (told: string) => appends.filter(({ outcome }) => outcome.told === told).length
  const unknown = appends.filter(({ outcome }) => outcome.told === 'unknown')
  return {
    appends: appends.length,
    acknowledged: count('appended'),
    conflicts: count('conflict'),
    refused: count('refused'),
    unknown: unknown.length,
    unknownThere: unknown.filter((append) => evidence.ownEvents(append).length > 0).length,
    reads: evidence.reads.length,
    events: log.events.length,
    voids: log.voids.length,
    claims: log.claims,
    longestGap: longestGaps(evidence),
  }
}

function longestGaps({ appends }: Evidence): Record<string, number> {
  const last = new Map<string, number>()
  const gaps: Record<string, number> = {}
  const acknowledged = appends.flatMap(({ outcome, end }) =>
    outcome.told === 'appended' && end !== null ? { ...outcome.position, end } : [],
  )
  for (const { topic, partition, end } of acknowledged.sort((a, b) => a.end - b.end)) {
    const name = `${topic}/${partition}`
    gaps[name] = Math.max(gaps[name] ?? 0, end - (last.get(name) ?? end))
    last.set(name, end)
  }
  return gaps
}
