// What a projection's handler may know of an event beside its data.
import type { MessageMetadata, Position, RecordedEvent, StreamId } from '@narrative/core'
import { aggregateIdOf } from '@narrative/core'
import type { ClientBase } from 'pg'

/** The second (or third) argument of every handler of a projection. */
export interface ProjectionContext {
  /** The event's unique id. */
  readonly eventId: string
  /** The event's stable name. */
  readonly eventType: string
  readonly streamId: StreamId
  readonly aggregateId: string
  /** Its number in its stream. */
  readonly version: number
  readonly position: Position
  /** Milliseconds since 1970 UTC. */
  readonly time: number
  readonly metadata: MessageMetadata
  /** The key this call is about: of the row, or as the projection names it. Undefined while it is asked for. */
  readonly key: any
  /** True for an event that was in the log before this projection started: whatever reaches the outside was done then. */
  readonly isReplay: boolean
}

/** The context of a free-SQL projection. */
export interface SqlProjectionContext extends ProjectionContext {
  /** The connection of the transaction that also moves the checkpoint. Do not end the transaction and do not keep the client. */
  readonly client: ClientBase
}

/** A view of a recorded event: made once per event, so it copies nothing. */
export class EventView implements SqlProjectionContext {
  constructor(
    private readonly event: RecordedEvent,
    readonly isReplay: boolean,
    readonly key: unknown = undefined,
    private readonly connection?: ClientBase,
  ) {}
  get eventId() {
    return this.event.id
  }
  get eventType() {
    return this.event.type
  }
  get streamId() {
    return this.event.streamId
  }
  get aggregateId() {
    return aggregateIdOf(this.event.streamId)
  }
  get version() {
    return this.event.version
  }
  get position() {
    return this.event.position
  }
  get time() {
    return this.event.time
  }
  get metadata() {
    return this.event.metadata
  }
  get client(): ClientBase {
    if (this.connection !== undefined) return this.connection
    throw new TypeError('context.client exists in free-SQL projections alone: @Projection(name, { from, sql })')
  }
}
