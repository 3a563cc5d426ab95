// What is said about parked events.
import { formatPosition, NarrativeError, type Position } from '@narrative/core'
import { callEvent } from '../definition/unreadable-event.js'
import type { DeadLetter } from './dead-letter.js'

export function parkedMessage(projection: string, letters: readonly DeadLetter[]): string {
  const first = letters.find(({ failure }) => failure !== undefined)
  // An event may be parked for several rows.
  const events = new Set(letters.map(({ event }) => formatPosition(event.position))).size
  const count = `${events} event${events === 1 ? '' : 's'}`
  if (first === undefined) return `Projection ${projection} parked ${count} behind earlier ones of the same key`
  const { event, attempts, failure, key } = first
  return (
    `Projection ${projection} parked ${count}: ${callEvent(event)} failed ${attempts} time${attempts === 1 ? '' : 's'}: ${failure!.message}. ` +
    `Later events of the key ${key} wait behind it; correct the cause and redrive the key.`
  )
}

/** Somebody waits for an event that is parked. */
export function eventParked(projection: string, position: Position): NarrativeError<'EVENT_PARKED'> {
  return new NarrativeError('EVENT_PARKED', {
    message: `Read model ${projection} does not contain ${formatPosition(position)}: the event is among its dead letters. Correct the cause and redrive it; meanwhile ask without "after".`,
    details: { projection, position },
  })
}
