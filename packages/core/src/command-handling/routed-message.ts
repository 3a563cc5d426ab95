// What two instances say to each other, as bytes: a command and its result, a read and a page of events.
import type { EventCodec } from '../codec/event-codec.js'
import type { ReadOptions } from '../event-store/event-store.js'
import type { RecordedEvent } from '../event-store/recorded-event.js'
import type { MessageMetadata } from '../messages/metadata.js'
import type { StreamId } from '../messages/stream-id.js'
import type { CommandResult } from './command-result.js'
import type { ErrorOnWire } from './routed-error.js'

/** A command by its stable name. */
export interface CommandOnWire {
  readonly kind: 'command'
  readonly name: string
  /** The command as JSON. */
  readonly data: unknown
  readonly metadata: MessageMetadata
  readonly expectedVersion?: number
}

/** Some events of a stream. */
export interface ReadOnWire extends ReadOptions {
  readonly kind: 'read'
}

export type RequestOnWire = CommandOnWire | ReadOnWire

/** An event whose bytes are base64. */
export type EventOnWire = Omit<RecordedEvent, 'data'> & { readonly data: string }

export type ReplyOnWire =
  | { readonly kind: 'result'; readonly result: Omit<CommandResult, 'events'>; readonly events: readonly EventOnWire[] }
  /** `next`: the version to go on at when this was not all. */
  | { readonly kind: 'page'; readonly events: readonly EventOnWire[]; readonly next?: number }
  | { readonly kind: 'error'; readonly error: ErrorOnWire }

export function toBytes(message: RequestOnWire | ReplyOnWire): Uint8Array {
  return Buffer.from(JSON.stringify(message))
}

export function fromBytes<T extends RequestOnWire | ReplyOnWire>(bytes: Uint8Array): T {
  return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()) as T
}

export function eventToWire({ data, ...event }: RecordedEvent): EventOnWire {
  return { ...event, data: Buffer.from(data).toString('base64') }
}

export function eventFromWire({ data, ...event }: EventOnWire): RecordedEvent {
  return { ...event, data: Buffer.from(data, 'base64') }
}

/** The result of a command, its events encoded as they are stored. */
export function resultToWire(
  codec: EventCodec,
  streamId: StreamId,
  metadata: MessageMetadata,
  { events, ...result }: CommandResult,
): ReplyOnWire {
  const { position, version } = result
  const encoded = events.map((event, index) => {
    const place = { topic: '', partition: 0, offset: 0, ...position }
    const recorded = { ...codec.encode(event), streamId, metadata, position: place, time: 0 }
    return eventToWire({ ...recorded, version: version - events.length + 1 + index })
  })
  return { kind: 'result', result, events: encoded }
}
