// Of what others parked only the store knows.
import type { Position } from '@narrative/core'
import type { DeadLetters } from './dead-letter.js'
import { eventParked } from './messages.js'

/**
 * For somebody who waits for an event, once the view has gone past it.
 * @throws NarrativeError `EVENT_PARKED`
 */
export async function assertNotParked(letters: DeadLetters, projection: string, position: Position): Promise<void> {
  const [parked] = await letters.list({ position, limit: 1 })
  if (parked?.building === false) throw eventParked(projection, position)
}
