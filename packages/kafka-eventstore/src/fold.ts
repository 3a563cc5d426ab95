// Which records count. The log decides: an event counts only under the latest claim before it (docs/adr/0001).
import { NarrativeError, type RecordedEvent } from '@narrative/core'
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
 * @throws NarrativeError `LOG_CORRUPT` for a record that is not ours, `LOG_TRUNCATED` when offsets are missing:
 * our topics carry no transactions and are never cleaned, so the next record is always at the next offset
 */
export function fold(topic: string, partition: number, from: LogPoint, records: readonly FetchedRecord[]): Folded {
  const events: RecordedEvent[] = []
  const voids: number[] = []
  let { offset, claim } = from
  for (const record of records) {
    if (record.offset !== offset) throw truncated(topic, partition, offset, record.offset)
    const stamp = parseStamp(record.header(stampHeader) ?? '')
    if (stamp === undefined) throw corrupt(topic, partition, offset, `it has no readable ${stampHeader} header`)
    if ('partitions' in stamp) claim = stamp.claim
    else if (stamp.claim === claim) events.push(decodeEvent(topic, partition, record, stamp))
    else voids.push(offset)
    offset++
  }
  return { events, voids, point: { offset, claim } }
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
