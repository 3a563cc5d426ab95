// What two instances say to each other, as bytes: a command and its result, a read and a page of events.
import type { EventCodec, EventInJson } from '../codec/event-codec.js'
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

/** A stored event; its bytes are base64. */
export type EventOnWire = Omit<RecordedEvent, 'data'> & { readonly data: string }

export type ReplyOnWire =
  | { readonly kind: 'result'; readonly result: Omit<CommandResult, 'events'>; readonly events: readonly EventInJson[] }
  /** `next`: the version to go on at when this was not all. */
  | { readonly kind: 'page'; readonly events: readonly EventOnWire[]; readonly next?: number }
  | { readonly kind: 'error'; readonly error: ErrorOnWire }

export function toBytes(message: RequestOnWire | ReplyOnWire): Uint8Array {
  return Buffer.from(JSON.stringify(message))
}

export function fromBytes<T extends RequestOnWire | ReplyOnWire>(bytes: Uint8Array): T {
  return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()) as T
}

export function eventToWire(event: RecordedEvent): EventOnWire {
  return { ...event, data: Buffer.from(event.data).toString('base64') }
}

export function eventFromWire(event: EventOnWire): RecordedEvent {
  return { ...event, data: Buffer.from(event.data, 'base64') }
}

export function resultToWire(codec: EventCodec, told: CommandResult): ReplyOnWire {
  const { aggregateId, version, position, events, commandId, duplicate } = told
  const result = { aggregateId, version, position, commandId, duplicate }
  return { kind: 'result', result, events: events.map((event) => codec.toJson(event)) }
}

export function resultFromWire(
  codec: EventCodec,
  streamId: StreamId,
  { result, events }: ReplyOnWire & { readonly kind: 'result' },
): CommandResult {
  const { position } = result // JSON leaves out what is undefined
  const first = result.version - events.length + 1
  const placeOf = (index: number) => ({ streamId, version: first + index, position: position ?? nowhere })
  return { ...result, position, events: events.map((event, index) => codec.fromJson(event, placeOf(index))) }
}

/** Never shown: where there are events, there is a position. */
const nowhere = { topic: '', partition: 0, offset: 0 }
