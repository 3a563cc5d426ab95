// The port of the write side: append with an expected version, read one stream.
import type { MessageMetadata } from '../messages/metadata.js'
import type { Position } from '../messages/position.js'
import type { StreamId } from '../messages/stream-id.js'
import type { Checkpoint } from './event-log.js'
import type { NewEvent, RecordedEvent } from './recorded-event.js'

/** A version the stream must be at: 0 means no stream yet; `any` asks for no check. */
export type ExpectedVersion = number | 'any'

/** How to append. */
export interface AppendOptions {
  readonly expectedVersion: ExpectedVersion
  /** `metadata.commandId` identifies the append: a second one to the same stream under the same id changes nothing. */
  readonly metadata: MessageMetadata
}

/** The events are in the log, all of them, adjacent and in order. */
export interface Appended {
  readonly outcome: 'appended'
  /** Version of the first of the events. */
  readonly firstVersion: number
  /** Version of the last of the events, and so of the stream right after this append. */
  readonly version: number
  /** Position of the last of the events. */
  readonly position: Position
  /** True when this command id had appended these events before, and nothing was written now. */
  readonly duplicate: boolean
}

/** Nothing was written: the stream is at another version. */
export interface Conflict {
  readonly outcome: 'conflict'
  readonly actualVersion: number
}

/** What became of an append. */
export type AppendResult = Appended | Conflict

/** Which part of a stream to read. */
export interface ReadOptions {
  /** First version, default 1. */
  readonly from?: number
  /** Last version, default the newest. */
  readonly to?: number
  /** Only events whose time is at or before this instant (milliseconds since 1970 UTC). */
  readonly asOf?: number
}

/** What a copy of a stream's partition holds of the stream. */
export interface ReplicaRead {
  readonly events: Iterable<RecordedEvent>
  /** How fresh the copy is: it reflects everything in the log before this, and nothing from there on. */
  readonly checkpoint: Checkpoint
}

/**
 * Streams of events with a conditional append.
 *
 * Every adapter passes the one contract suite of `@narrative/testing`.
 */
export interface EventStore {
  /**
   * Appends all the events or none.
   *
   * @param events one or more
   * @returns a conflict as a value: it is an expected outcome, not a failure
   * @throws NarrativeError `APPEND_TOO_LARGE`, `NOT_OWNER`, `OUTCOME_UNKNOWN`, `STORE_BUSY`, `STORE_CLOSED`
   */
  append(streamId: StreamId, events: readonly NewEvent[], options: AppendOptions): Promise<AppendResult>

  /**
   * Reads a stream in version order; a stream that does not exist is empty.
   * @throws NarrativeError `NOT_OWNER`, `STORE_CLOSED`
   */
  read(streamId: StreamId, options?: ReadOptions): AsyncIterable<RecordedEvent>

  /**
   * Reads the copy that this instance has of the stream's partition, owned or followed, without asking anybody whether it
   * is current. Adapters whose every read is of the truth itself have none.
   * @returns undefined when there is no copy here
   * @throws NarrativeError `STORE_CLOSED`
   */
  readReplica?(streamId: StreamId, options?: ReadOptions): Promise<ReplicaRead | undefined>

  /** What an earlier command of this id appended to the stream, if it did. */
  findCommand(streamId: StreamId, commandId: string): Promise<Appended | undefined>
}
