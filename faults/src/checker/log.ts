// The log as an outsider reads it: the `nv` header taken apart and the fold done anew, with no code of the event store.

/** A record as a plain consumer gives it. */
export interface LogRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** The stream id; null in a claim. */
  readonly key: string | null
  /** The `nv` header. */
  readonly stamp: string
  /** What tells events apart: the `ce_id` header, or what stands in their data; null in a claim. */
  readonly eventId: string | null
  /** The version its command was decided upon, where the event says so. */
  readonly decidedUpon?: number
}

/** An event of the log. */
export interface LogEvent {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly streamId: string
  readonly eventId: string
  readonly version: number
  readonly index: number
  readonly count: number
  readonly claim: string
  readonly commandId: string
  readonly decidedUpon?: number
}

/** The log after the fold. */
export interface FoldedLog {
  /** Events that count, by partition and in order. */
  readonly events: readonly LogEvent[]
  /** Events that do not: the claim they name is not the latest before them. */
  readonly voids: readonly LogEvent[]
  /** An owner may write its claim more than once, as the witness of a strong read: it counts once. */
  readonly claims: number
  /** Sentences about records that cannot be. */
  readonly faults: readonly string[]
}

/** Records of one partition must be adjacent and in order. */
export function foldLog(records: readonly LogRecord[]): FoldedLog {
  const events: LogEvent[] = []
  const voids: LogEvent[] = []
  const faults: string[] = []
  const state = new Map<string, { next: number; claim: string | null }>()
  let claims = 0
  for (const record of records) {
    const { topic, partition, offset } = record
    const name = `${topic}/${partition}`
    const at = state.get(name) ?? { next: 0, claim: null }
    state.set(name, at)
    if (offset !== at.next) faults.push(`${name} goes on at offset ${offset} instead of ${at.next}`)
    at.next = offset + 1
    const claim = /^claim (\S+) \d+$/.exec(record.stamp)?.[1]
    if (claim !== undefined) {
      if (claim !== at.claim) claims++
      at.claim = claim
      continue
    }
    const event = eventIn(record)
    if (event === undefined) faults.push(`${name}@${offset} is no record of an event store: nv is "${record.stamp}"`)
    else if (event.claim === at.claim) events.push(event)
    else voids.push(event)
  }
  return { events, voids, claims, faults }
}

const eventStamp = /^(\d+) (\d+) (\d+)\/(\d+) (\S+) (\S+) (\S+) (\S+)$/

function eventIn({ topic, partition, offset, key, stamp, eventId, decidedUpon }: LogRecord): LogEvent | undefined {
  const match = eventStamp.exec(stamp)
  if (match === null || key === null || eventId === null) return undefined
  const [version, , index, count] = match.slice(1, 5).map(Number)
  return {
    ...{ topic, partition, offset, streamId: key, eventId },
    ...{ version: version!, index: index!, count: count!, claim: match[5]! },
    commandId: decodeURIComponent(match[6]!),
    ...(decidedUpon !== undefined && { decidedUpon }),
  }
}
