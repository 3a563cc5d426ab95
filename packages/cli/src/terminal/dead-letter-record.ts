// A dead letter as the command shows it.
import { formatPosition } from '@narrative/core'
import type { DeadLetter, Failure } from '@narrative/projections'
import { type EventRecord, eventRecord } from './event-record.js'

/** One dead letter as a JSON object, with the event as it is in the log. */
export interface DeadLetterRecord {
  readonly projection: string
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

export function deadLetterRecord(projection: string, letter: DeadLetter): DeadLetterRecord {
  const { key, attempts, failure = null, event } = letter
  return {
    projection,
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
