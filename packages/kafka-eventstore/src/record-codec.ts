// Events to records and back: CloudEvents 1.0, Kafka protocol binding, binary mode, plus the one `nv` header.
// https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/kafka-protocol-binding.md
import { type MessageMetadata, NarrativeError, type NewEvent, type RecordedEvent } from '@narrative/core'
import type { FetchedRecord, ProducerRecord, RecordHeader } from './driver/kafka-driver.js'
import { type EventStamp, formatClaimStamp, formatEventStamp, formatIds, stampHeader } from './stamp.js'

/** What the events of one append share. */
export interface AppendPlace {
  readonly streamId: string
  /** The same as bytes: the record key. */
  readonly key: Uint8Array
  /** `ce_source`. */
  readonly source: string
  /** Version of the first event. */
  readonly firstVersion: number
  readonly claim: string
  /** RFC 3339. */
  readonly time: string
  readonly metadata: MessageMetadata
}

const specVersion: RecordHeader = { key: 'ce_specversion', value: Buffer.from('1.0') }
const json = 'application/json'
const jsonContent: RecordHeader = { key: 'content-type', value: Buffer.from(json) }

/** The records of one append. */
export function encodeAppend(events: readonly NewEvent[], place: AppendPlace): ProducerRecord[] {
  const { streamId, key, claim, metadata } = place
  const ids = formatIds(metadata)
  const count = events.length
  return events.map((event, index) => {
    const stamp = { version: place.firstVersion + index, schemaVersion: event.schemaVersion, index, count, claim }
    const headers: RecordHeader[] = [
      { key: stampHeader, value: formatEventStamp(stamp, ids) },
      specVersion,
      { key: 'ce_id', value: event.id },
      { key: 'ce_type', value: event.type },
      { key: 'ce_source', value: place.source },
      { key: 'ce_subject', value: streamId },
      { key: 'ce_time', value: place.time },
      event.contentType === json ? jsonContent : { key: 'content-type', value: event.contentType },
    ]
    if (metadata.traceparent !== undefined) headers.push({ key: 'traceparent', value: metadata.traceparent })
    return { key, value: event.data, headers }
  })
}

/** The record by which an owner takes a partition. Its value is for people; the log is decided by its header. */
export function encodeClaim(claim: string, partitions: number, clientId: string, time: string): ProducerRecord {
  return {
    key: null,
    value: Buffer.from(JSON.stringify({ narrative: 'claim', claim, by: clientId, at: time, partitions })),
    headers: [
      { key: stampHeader, value: formatClaimStamp({ claim, partitions }) },
      { key: 'content-type', value: json },
    ],
  }
}

/**
 * An upper bound of the bytes a record takes in a batch, for the limits.
 * Text is counted at three bytes a character; that only matters within a kilobyte or so of a limit.
 */
export function recordSize(record: ProducerRecord): number {
  let size = 32 + (record.key?.length ?? 0) + (record.value?.length ?? 0)
  for (const { key, value } of record.headers) {
    size += 6 + key.length + (typeof value === 'string' ? value.length * 3 : value.length)
  }
  return size
}

/**
 * The event in a record whose stamp was read already.
 * `data` is a view into the fetched bytes: copy it to keep it longer than the batch.
 * @throws NarrativeError `LOG_CORRUPT`
 */
export function decodeEvent(topic: string, partition: number, record: FetchedRecord, stamp: EventStamp): RecordedEvent {
  const id = record.header('ce_id')
  const type = record.header('ce_type')
  const { key, value } = record
  if (id === undefined || type === undefined || key === null || value === null) {
    throw corrupt(topic, partition, record.offset, 'it lacks a key, a value, ce_id or ce_type')
  }
  const contentType = record.header('content-type') ?? json
  const traceparent = record.header('traceparent')
  const { commandId, correlationId, causationId } = stamp
  return {
    id,
    type,
    schemaVersion: stamp.schemaVersion,
    contentType,
    data: value,
    streamId: key.toString(),
    version: stamp.version,
    position: { topic, partition, offset: record.offset },
    time: record.time,
    metadata:
      traceparent === undefined
        ? { commandId, correlationId, causationId }
        : { commandId, correlationId, causationId, traceparent },
  }
}

/** The error for a record that is not one of ours. */
export function corrupt(topic: string, partition: number, offset: number, why: string): NarrativeError {
  return new NarrativeError('LOG_CORRUPT', {
    message:
      `The record at ${topic}/${partition}@${offset} was not written by Narrative: ${why}. ` +
      'Nothing else may write to an events topic; find the writer, and move its records elsewhere.',
    details: { topic, partition, offset },
  })
}
