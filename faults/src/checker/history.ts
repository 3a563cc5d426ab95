// What clients did and were told, in the order of one monotonic clock: the first of the checker's witnesses.
import { readFileSync } from 'node:fs'

interface Called {
  readonly id: number
  readonly client: string
  /** The instance that was asked. */
  readonly instance: string
  /** When it was asked, milliseconds of a monotonic clock that all clients share. */
  readonly start: number
  /** When it answered; null when it never did. */
  readonly end: number | null
  readonly streamId: string
}

/** What the caller of an append learned. */
export type AppendOutcome =
  | {
      readonly told: 'appended'
      readonly firstVersion: number
      readonly version: number
      /** Of the last event. */
      readonly position: { readonly topic: string; readonly partition: number; readonly offset: number }
      readonly duplicate: boolean
      /** The events that were given back with the answer, where they are. */
      readonly eventIds?: readonly string[]
    }
  | { readonly told: 'conflict'; readonly actualVersion: number }
  /** An error that says that nothing was written. */
  | { readonly told: 'refused'; readonly code: string }
  /** An error that leaves it open, or no answer at all. */
  | { readonly told: 'unknown'; readonly code: string }

/** One attempt to append. Each attempt has event ids of its own, also when it repeats a command. */
export interface AppendOperation extends Called {
  readonly kind: 'append'
  readonly commandId: string
  readonly expectedVersion: number | 'any'
  readonly eventIds: readonly string[]
  readonly outcome: AppendOutcome
  /** Written by somebody who is not in the group, so that owners may learn of it late, or under a claim that was over. */
  readonly outsider?: 'under its own claim' | 'under an old claim'
}

/** One read of a whole stream. */
export interface ReadOperation extends Called {
  readonly kind: 'read'
  /** Whether it promises everything that was acknowledged before it began. */
  readonly strong: boolean
  /** Of a copy: everything in the log before this place is said to be in it. */
  readonly upTo?: { readonly topic: string; readonly partition: number; readonly offset: number }
  readonly outcome:
    | { readonly told: 'events'; readonly eventIds: readonly string[] }
    | { readonly told: 'failed'; readonly code: string }
}

/** One line of a history. */
export type Operation = AppendOperation | ReadOperation

/** A history as it is kept: one JSON line per operation. */
export function formatHistory(operations: readonly Operation[]): string {
  return operations.map((operation) => `${JSON.stringify(operation)}\n`).join('')
}

/** Reads what {@link formatHistory} wrote. */
export function readHistory(file: string): Operation[] {
  const lines = readFileSync(file, 'utf8').split('\n')
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Operation)
}
