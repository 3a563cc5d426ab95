// A record of the log that cannot be read, on its way through a projection: an event like others, which nobody can decode.
//
// So it is tried, parked or stopped at, listed and redriven by what does that with every event.
import {
  type EventBatch,
  type EventLog,
  formatPosition,
  isNarrativeError,
  NarrativeError,
  type RecordedEvent,
  type UnreadableRecord,
} from '@narrative/core'
import type { HandlerDefinition } from './projection-definition.js'

/** Stored with dead letters. */
export const unreadableType = 'narrative.unreadable'

/** It concerns every projection, since nobody can tell whom it would have concerned. */
export const unreadableHandler: HandlerDefinition = { event: unreadableType, name: 'the reader', handle() {} }

/** The record as JSON, bytes in base64. */
interface Parcel {
  readonly reason: string
  readonly key: string | null
  readonly value: string | null
  readonly headers: readonly (readonly [name: string, value: string | null])[]
  readonly claim: string | null
}

/** A batch whose unreadable records stand among its events, in the order of the log. */
export function withUnreadable(batch: EventBatch): EventBatch {
  if (batch.unreadable === undefined || batch.unreadable.length === 0) return batch
  const events = [...batch.events, ...batch.unreadable.map(asEvent)]
  return { ...batch, events: events.sort((a, b) => a.position.offset - b.position.offset), unreadable: [] }
}

function asEvent({ position, key, value, headers, time, claim, streamId, error }: UnreadableRecord): RecordedEvent {
  const parcel: Parcel = {
    ...{ reason: error.message, key: text(key), value: text(value), claim },
    headers: headers.map(([name, bytes]) => [name, text(bytes)]),
  }
  return {
    ...{ id: '', type: unreadableType, schemaVersion: 0, version: 0, contentType: 'application/json', position, time },
    data: Buffer.from(JSON.stringify(parcel)),
    // A key of its own, behind which nothing waits, unless it is known whose event it is.
    streamId: streamId === undefined || streamId.includes('\0') ? formatPosition(position) : streamId,
    metadata: { commandId: '', correlationId: '', causationId: '' },
  }
}

/** @throws NarrativeError `LOG_CORRUPT` */
export function assertReadable(event: RecordedEvent): void {
  if (event.type !== unreadableType) return
  throw new NarrativeError('LOG_CORRUPT', { message: parcelIn(event).reason, details: event.position })
}

/** {@link EventLog.reread}, of a log that may not have it. */
export type Reread = (...record: Parameters<NonNullable<EventLog['reread']>>) => RecordedEvent | undefined

/** The event, when a newer program can read it. */
export function readAgain(event: RecordedEvent, reread: Reread | undefined): RecordedEvent {
  if (event.type !== unreadableType || reread === undefined) return event
  const { key, value, headers, claim } = parcelIn(event)
  const { position, time } = event
  try {
    const record = { position, time, claim, key: bytes(key), value: bytes(value) }
    return reread({ ...record, headers: headers.map(([name, content]) => [name, bytes(content)]) }) ?? event
  } catch (error) {
    if (isNarrativeError(error, 'LOG_CORRUPT')) return event
    throw error
  }
}

/** An event as a person would call it. */
export function callEvent({ type, streamId, version, position }: RecordedEvent): string {
  if (type === unreadableType) return `the unreadable record at ${formatPosition(position)}`
  return `event ${type} (stream ${streamId}, version ${version}, ${formatPosition(position)})`
}

function parcelIn({ data }: RecordedEvent): Parcel {
  return JSON.parse(Buffer.from(data).toString()) as Parcel
}

function text(content: Uint8Array | null): string | null {
  return content && Buffer.from(content).toString('base64')
}

function bytes(content: string | null): Uint8Array | null {
  return content === null ? null : Buffer.from(content, 'base64')
}
