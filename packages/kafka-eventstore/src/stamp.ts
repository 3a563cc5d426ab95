// The one header of ours, `nv`: everything about a record that CloudEvents has no name for, as one short line of ASCII.
//
//   an event:  <version> <schema version> <index>/<count> <claim> <command id> <correlation id> <causation id>
//   a claim:   claim <claim> <partitions of the topic>
//
// One header instead of seven because every header costs both ends CPU; text because people read logs.
// Ids are percent-encoded where they are not plain ASCII; `=` stands for "the same as the command id".

/** Name of the header. A new layout would get a new name. */
export const stampHeader = 'nv'

/** What `nv` says of an event. */
export interface EventStamp {
  readonly version: number
  readonly schemaVersion: number
  /** Which event of its append this is, from 0. */
  readonly index: number
  /** How many events its append has. */
  readonly count: number
  /** The claim it was written under. */
  readonly claim: string
  readonly commandId: string
  readonly correlationId: string
  readonly causationId: string
}

/** What `nv` says of a claim record. */
export interface ClaimStamp {
  readonly claim: string
  /** How many partitions the topic had: the number is fixed for life, and this is where it is recorded. */
  readonly partitions: number
}

const plain = /^[\x21-\x24\x26-\x3c\x3e-\x7e]+$/ // printable ASCII without space, `%` and `=`

/** The ids of a command, written once for all the events of an append. */
export function formatIds(ids: { commandId: string; correlationId: string; causationId: string }): string {
  const { commandId, correlationId, causationId } = ids
  const correlation = correlationId === commandId ? '=' : escapeId(correlationId)
  const causation = causationId === commandId ? '=' : escapeId(causationId)
  return `${escapeId(commandId)} ${correlation} ${causation}`
}

/** The stamp of an event. `ids` comes from {@link formatIds}. */
export function formatEventStamp(stamp: Omit<EventStamp, 'commandId' | 'correlationId' | 'causationId'>, ids: string) {
  return `${stamp.version} ${stamp.schemaVersion} ${stamp.index}/${stamp.count} ${stamp.claim} ${ids}`
}

export function formatClaimStamp(stamp: ClaimStamp): string {
  return `claim ${stamp.claim} ${stamp.partitions}`
}

/** Reads a stamp; undefined when it is not one. */
export function parseStamp(text: string): EventStamp | ClaimStamp | undefined {
  if (text.charCodeAt(0) === letterC) return parseClaim(text)
  try {
    return parseEvent(text)
  } catch (error) {
    if (error instanceof URIError) return undefined // a `%` that we did not write
    throw error
  }
}

const letterC = 99
const space = 32
const slash = 47

function parseClaim(text: string): ClaimStamp | undefined {
  const match = /^claim ([^ ]+) (\d{1,9})$/.exec(text)
  return match === null ? undefined : { claim: match[1]!, partitions: Number(match[2]) }
}

// By hand, not by regular expression: this runs once for every record ever replayed.
function parseEvent(text: string): EventStamp | undefined {
  let at = 0
  const number = (end: number): number => {
    const start = at
    let value = 0
    for (; at < text.length; at++) {
      const digit = text.charCodeAt(at) - 48
      if (digit < 0 || digit > 9) break
      value = value * 10 + digit
    }
    return at > start && text.charCodeAt(at++) === end ? value : Number.NaN
  }
  const word = (): string => {
    const end = text.indexOf(' ', at)
    const value = end === -1 ? '' : text.slice(at, end)
    at = end + 1
    return value
  }
  const version = number(space)
  const schemaVersion = number(space)
  const index = number(slash)
  const count = number(space)
  if (!(version >= 1 && schemaVersion >= 0 && index < count)) return undefined
  const claim = word()
  const command = word()
  const correlation = word()
  const causation = text.slice(at)
  if (claim === '' || command === '' || correlation === '' || causation === '' || causation.includes(' ')) {
    return undefined
  }
  const commandId = unescapeId(command)
  return {
    version,
    schemaVersion,
    index,
    count,
    claim,
    commandId,
    correlationId: correlation === '=' ? commandId : unescapeId(correlation),
    causationId: causation === '=' ? commandId : unescapeId(causation),
  }
}

// A lone surrogate cannot be written as UTF-8: it becomes the replacement character, as everywhere else on the wire.
// An empty id is written as a lone `%`.
function escapeId(id: string): string {
  if (plain.test(id)) return id
  return id === '' ? '%' : encodeURIComponent(Buffer.from(id).toString()).replace(/=/g, '%3D')
}

function unescapeId(text: string): string {
  if (!text.includes('%')) return text
  return text === '%' ? '' : decodeURIComponent(text)
}
