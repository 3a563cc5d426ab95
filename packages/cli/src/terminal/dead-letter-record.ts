// A dead letter as the command shows it.
import { formatPosition } from '@narrative/core'
import type { Failure, ListedLetter } from '@narrative/projections'
import { type EventRecord, eventRecord } from './event-record.js'

/** One dead letter as a JSON object, with the event as it is in the log. */
export interface DeadLetterRecord {
  readonly projection: string
  /** The view it is parked for, counted by rebuilds. */
  readonly generation: number
  /** Whether a rebuild is making that view; else it is the one that is read. */
  readonly building: boolean
  /** A token such as `shop.order.events/0@42`. */
  readonly position: string
  /** What later events have to wait for: the key of the row, or what the projection calls key. */
  readonly key: string
  /** How often it was tried; 0 when it only waits behind an earlier one of its key. */
  readonly attempts: number
  /** ISO 8601. */
  readonly parkedAt: string
  readonly failure: Failure | null
  readonly event: EventRecord
}

export function deadLetterRecord(projection: string, letter: ListedLetter): DeadLetterRecord {
  const { key, attempts, failure = null, event, generation, building } = letter
  return {
    ...{ projection, generation, building },
    position: formatPosition(letter),
    ...{ key, attempts },
    parkedAt: new Date(letter.parkedAt).toISOString(),
    failure,
    event: eventRecord(event),
  }
}

/** Why it is parked, in one line. */
export function whyParked({ failure }: DeadLetterRecord): string {
  return failure === null ? 'waits behind an earlier one of its key' : (failure.message.split('\n')[0] ?? '')
}

/** In which view it is missing. */
export function viewOf({ generation, building }: DeadLetterRecord): string {
  return building ? `${generation}, being built` : String(generation)
}
