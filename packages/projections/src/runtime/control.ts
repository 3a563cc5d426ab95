// What those who look after a projection tell its workers, and what these tell of themselves.
import type { Checkpoint } from '@narrative/core'

/** What a worker is told when it reports. */
export interface Orders {
  readonly paused: boolean
  /** Another number than last time: begin again with what is stored now. */
  readonly wake: number
}

/** What a worker says of itself. */
export interface WorkerReport {
  /** Unique for each process and projection. */
  readonly worker: string
  readonly state: string
  readonly reason: string | undefined
  /** How many partitions it follows. */
  readonly partitions: number
}

/** A worker as others know it. */
export interface KnownWorker extends WorkerReport {
  /** Milliseconds since it last reported. */
  readonly silentFor: number
}

/** One that was silent for so long is gone, milliseconds. */
export const forgottenAfter = 30_000

export function isAlive({ silentFor }: KnownWorker): boolean {
  return silentFor < forgottenAfter
}

/** A build under way, or left behind. */
export interface BuildState {
  readonly generation: number
  /** Milliseconds since 1970 UTC. */
  readonly beganAt: number
  readonly checkpoints: readonly Checkpoint[]
  /** Events among its dead letters. */
  readonly parked: number
}

/** What is stored of a projection. */
export interface StoredState {
  readonly generation: number
  readonly paused: boolean
  readonly checkpoints: readonly Checkpoint[]
  readonly parked: number
  readonly workers: readonly KnownWorker[]
  readonly build: BuildState | undefined
  /** The generation that a rebuild kept. */
  readonly kept: number | undefined
}

/** Where workers and those who look after them leave word for each other. */
export interface ControlRoom {
  /** A worker's report; the answer is what it is told. */
  report(projection: string, report: WorkerReport): Promise<Orders>
  /** Forgets a worker that has stopped. */
  leave(projection: string, worker: string): Promise<void>
  setPaused(projection: string, paused: boolean): Promise<void>
  /** Ends a rebuild, whoever is at it; false when there is none. */
  cancelBuild(projection: string): Promise<boolean>
  state(projection: string): Promise<StoredState>
}
