// Which records count. The log decides: an event counts only under the latest claim before it (docs/adr/0001).
import { isNarrativeError, NarrativeError, type RecordedEvent, type UnreadableRecord } from '@narrative/core'
import type { FetchedRecord } from './driver/kafka-driver.js'
import { corrupt, decodeEvent } from './record-codec.js'
import { parseStamp, stampHeader } from './stamp.js'

/** Where a reader of a partition stands: a checkpoint's two moving parts. */
export interface LogPoint {
  /** The next offset to read. */
  readonly offset: number
  /** The claim in force there. */
  readonly claim: string | null
}

/** The very beginning of a partition. */
export const logStart: LogPoint = { offset: 0, claim: null }

/** A run of records after the fold. */
export interface Folded {
  /** The events that count, in order. */
  readonly events: RecordedEvent[]
  /** Offsets of events that do not count: written by somebody who had lost the partition. */
  readonly voids: number[]
  /** Where to go on. */
  readonly point: LogPoint
}

/**
 * Folds adjacent records, from `from` on.
 *
 * A record that is passed over as unreadable changes no claim. It cannot have been one that later events rest on: claims and events
 * have the same header, so whoever writes claims that cannot be read writes events that cannot be read.
 *
 * @param unreadable takes the records that cannot be read; without it they are an error. Whoever serves the partition must not pass any
 * @throws NarrativeError `LOG_CORRUPT` for a record that is not ours, `LOG_TRUNCATED` when offsets are missing:
 * our topics carry no transactions and are never cleaned, so the next record is always at the next offset
 */
export function fold(
  topic: string,
  partition: number,
  from: LogPoint,
  records: readonly FetchedRecord[],
  unreadable?: UnreadableRecord[],
): Folded {
  const events: RecordedEvent[] = []
  const voids: number[] = []
  let { offset, claim } = from
  for (const record of records) {
    if (record.offset !== offset) throw truncated(topic, partition, offset, record.offset)
    const stamp = parseStamp(record.header(stampHeader) ?? '')
    try {
      if (stamp === undefined) throw corrupt(topic, partition, offset, `it has no readable ${stampHeader} header`)
      if ('partitions' in stamp) claim = stamp.claim
      else if (stamp.claim === claim) events.push(decodeEvent(topic, partition, record, stamp))
      else voids.push(offset)
    } catch (error) {
      if (unreadable === undefined || !isNarrativeError(error, 'LOG_CORRUPT')) throw error
      // What has our stamp is an event of a stream, and takes a version of it; anything else is nobody's.
      unreadable.push(asItIs(topic, partition, record, claim, error, stamp !== undefined))
    }
    offset++
  }
  return { events, voids, point: { offset, claim } }
}

function asItIs(
  topic: string,
  partition: number,
  record: FetchedRecord,
  claim: string | null,
  error: Error,
  isEvent: boolean,
): UnreadableRecord {
  const { offset, time, key, value } = record
  const position = { topic, partition, offset }
  const streamId = isEvent ? key?.toString() : undefined
  return { position, key, value, headers: record.headers(), time, claim, streamId, error }
}

/**
 * Reads a record again that could not be read, by itself.
 * @throws NarrativeError `LOG_CORRUPT`
 */
export function reread(record: Omit<UnreadableRecord, 'error' | 'streamId'>): RecordedEvent {
  const { position, headers, time, claim } = record
  const { topic, partition, offset } = position
  const bytes = (part: Uint8Array | null) => part && Buffer.from(part)
  const again: FetchedRecord = {
    ...{ offset, time, key: bytes(record.key), value: bytes(record.value) },
    header: (name) => bytes(headers.find(([each]) => each === name)?.[1] ?? null)?.toString(),
    headers: () => headers.map(([name, value]) => [name, bytes(value)]),
  }
  const [event] = fold(topic, partition, { offset, claim }, [again]).events
  if (event !== undefined) return event
  throw corrupt(topic, partition, offset, 'by itself it is no event that counts; rebuild what reads it, or skip it')
}

/** The error for offsets that are gone. */
export function truncated(topic: string, partition: number, expected: number, found: number): NarrativeError {
  return new NarrativeError('LOG_TRUNCATED', {
    message:
      `${topic}/${partition} should go on at offset ${expected}, but the next record is at ${found}. ` +
      'Events were deleted from the topic: restore it from a replica or a backup before anything is written or rebuilt.',
    details: { topic, partition, expected, found },
  })
}
