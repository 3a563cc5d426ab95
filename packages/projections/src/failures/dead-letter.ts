// An event that a projection could not apply, or that waits behind such a one.
import type { Position, RecordedEvent } from '@narrative/core'

/** Where a dead letter is found: an event may concern several keys, and be parked for one of them. */
export interface LetterPlace {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** The key of the row, or what the projection calls the key of an event; the stream id when the key cannot be told. */
  readonly key: string
}

/** Why an event could not be applied. */
export interface Failure {
  /** The code of a Narrative error or the SQLSTATE, when there is one. */
  readonly code: string | undefined
  readonly message: string
  /** The handler that refused it; undefined when it was not called. */
  readonly handler: string | undefined
}

/** A parked event. */
export interface DeadLetter extends LetterPlace {
  /** The record as it is in the log: it is decoded and upcast again when it is redriven. */
  readonly event: RecordedEvent
  /** How often it was tried; 0 for an event that only waits behind another one of its key. */
  readonly attempts: number
  readonly failure: Failure | undefined
  /** Milliseconds since 1970 UTC. */
  readonly parkedAt: number
  /** What its handlers see as `isReplay`. */
  readonly isReplay: boolean
}

/** What can be asked for a dead letter: to apply it again, or to forget it. */
export type Wish = 'redrive' | 'skip'

/** A dead letter of which something was asked. */
export interface AskedLetter {
  readonly letter: DeadLetter
  readonly wish: Wish
}

/** Which dead letters: one event, all of a key, or all there are. */
export type LetterChoice = 'all' | { readonly key: string } | { readonly position: Position }

/** Which dead letters to list. */
export interface ListOptions {
  readonly key?: string
  readonly position?: Position
  /** Default 100. */
  readonly limit?: number
}

/** A dead letter, and in which view it is missing. */
export interface ListedLetter extends DeadLetter {
  /** Counts the rebuilds, as in the overview of a projection. */
  readonly generation: number
  /** Whether that is a view that a rebuild is making, or has left behind; else it is the one that is read. */
  readonly building: boolean
}

/** The dead letters of one projection, for those who look after it: of the view that is read, and of one that is being built. */
export interface DeadLetters {
  /** Those of the view that is read first; in the order of the log. */
  list(options?: ListOptions): Promise<readonly ListedLetter[]>
  count(): Promise<number>
  /** Notes a wish for those who follow the partitions: they alone write the read model. Resolves to the number of letters. */
  ask(wish: Wish, which: LetterChoice): Promise<number>
}

/** Finds the letters of a choice. */
export function isChosen(place: LetterPlace, which: LetterChoice): boolean {
  if (which === 'all') return true
  if ('key' in which) return place.key === which.key
  const { topic, partition, offset } = which.position
  return place.topic === topic && place.partition === partition && place.offset === offset
}
