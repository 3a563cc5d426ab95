// A rule is one sentence of what is promised, and a search for what breaks it.
import type { Evidence } from './evidence.js'

/** One breach: a sentence, and what shows it. */
export interface Finding {
  readonly says: string
  /** Operations and log events, as they are. */
  readonly shown: readonly object[]
}

export interface Rule {
  readonly name: string
  readonly promise: string
  find(evidence: Evidence): Iterable<Finding>
}
