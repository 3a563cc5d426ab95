// Events as the store sees them: named, numbered bytes. The codec turns them into users' event objects.
import type { MessageMetadata } from '../messages/metadata.js'
import type { Position } from '../messages/position.js'
import type { StreamId } from '../messages/stream-id.js'

/** An event on its way into the store. */
export interface NewEvent {
  /** Unique; a UUID. */
  readonly id: string
  /** The stable name given in `@Event(name)`. */
  readonly type: string
  /** The version of the event's schema, from 1. */
  readonly schemaVersion: number
  /** Media type of `data`. */
  readonly contentType: string
  readonly data: Uint8Array
}

/** An event that is part of history. */
export interface RecordedEvent extends NewEvent {
  readonly streamId: StreamId
  /** Its number in its stream, from 1 without gaps. */
  readonly version: number
  readonly position: Position
  /** When the owner appended it: milliseconds since 1970 UTC, never decreasing within a stream. */
  readonly time: number
  readonly metadata: MessageMetadata
}
