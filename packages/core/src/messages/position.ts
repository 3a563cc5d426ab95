// Where an event is in the log, and the token that clients carry it around as.
import { NarrativeError } from '../errors/narrative-error.js'

/**
 * The place of one event in the log. Offsets only compare within one partition.
 * They are numbers: a partition would need 9 × 10^15 events to outgrow them.
 */
export interface Position {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

/** Writes a position as a token: `<topic>/<partition>@<offset>`. */
export function formatPosition(position: Position): string {
  return `${position.topic}/${position.partition}@${position.offset}`
}

/**
 * Reads a token written by {@link formatPosition}.
 * @throws NarrativeError `POSITION_INVALID`
 */
export function parsePosition(token: string): Position {
  const match = /^([a-zA-Z0-9._-]{1,249})\/(\d{1,9})@(\d{1,15})$/.exec(token)
  if (match === null) {
    throw new NarrativeError('POSITION_INVALID', {
      message: `${JSON.stringify(token.slice(0, 120))} is not a position; send back the token of an earlier answer, such as "shop.order.events/0@42".`,
      details: { token: token.slice(0, 120) },
    })
  }
  return { topic: match[1]!, partition: Number(match[2]), offset: Number(match[3]) }
}
