// What a group of figures gets, and gives back.
import type { Measured } from './figure.js'
import type { Services } from './services.js'

/** What one run of the benches is like. */
export interface BenchRun {
  readonly services: Services
  /** The short form: same figures, shorter rounds. */
  readonly quick: boolean
  /** Measured rounds, 3 at the least. */
  readonly rounds: number
  /** Takes a figure as soon as it is known. */
  report(measured: Measured): void
  /** Says what is going on. */
  progress(message: string): void
}

/** A group of figures, run by its name. */
export interface Bench {
  readonly name: string
  /** In a sentence, for a person. */
  readonly measures: string
  /** Not part of a run of everything. */
  readonly onlyWhenNamed?: boolean
  run(run: BenchRun): Promise<void>
}
