// The plain form of an aggregate. Decorated classes and deciders both become one; everything else sees only this.
import type { EventType } from '../codec/event-type.js'
import type { Clock } from '../event-store/clock.js'
import type { Class } from '../messages/message-class.js'
import type { MessageMetadata } from '../messages/metadata.js'
import type { StreamId } from '../messages/stream-id.js'

/** Names a service in the container: a class, a string or a symbol (an inversify service identifier). */
export type ServiceId<T> = string | symbol | (new (...args: never[]) => T) | (abstract new (...args: never[]) => T)

/** What a command handler gets beside the command. */
export interface CommandContext {
  readonly streamId: StreamId
  /** The version of the stream the handler decides on; 0 when there is none yet. */
  readonly version: number
  readonly metadata: MessageMetadata
  readonly clock: Clock
  /** Aborts when the caller gives up or the deadline passes. */
  readonly signal: AbortSignal
  /** A service of the application's container. */
  service<T>(id: ServiceId<T>): T
}

/** What an event handler may know of an event beside its data. */
export interface EventContext {
  readonly streamId: StreamId
  readonly version: number
  /** Milliseconds since 1970 UTC. */
  readonly time: number
  readonly metadata: MessageMetadata
}

/** What a command handler may return: an event, several, or none. */
export type Decision = object | readonly object[] | undefined | void

/** One command an aggregate handles. */
export interface CommandDefinition {
  readonly name: string
  /** The marked class; undefined for a plain `{ type, data }` command. */
  readonly messageClass: Class | undefined
  /** A Standard Schema (https://standardschema.dev) for it, when one was given. */
  readonly schema: unknown
}

/** How a state is kept beside the events of a stream, so that a load need not begin with the first one. */
export interface SnapshotPolicy<State = any> {
  /** How many events lie between two snapshots. */
  readonly every: number
  /** The state as plain data: what JSON gives back as it was. It is not used any more when this returns. */
  toData(state: State): unknown
  fromData(data: unknown): State
}

/** One aggregate. */
export interface AggregateDefinition<State = any> {
  readonly category: string
  /** Raise it when the meaning of the state changes: older snapshots are then ignored. */
  readonly revision: number
  /** None: a load without a kept state begins with the first event. */
  readonly snapshots?: SnapshotPolicy<State>
  readonly commands: readonly CommandDefinition[]
  readonly events: readonly EventType[]
  /** The aggregate id a command is for. */
  identify(command: object): string
  initial(): State
  decide(state: State, command: object, context: CommandContext): Decision | Promise<Decision>
  /** Pure and synchronous. Returns the next state (it may be the same object, changed). */
  evolve(state: State, event: object, context: EventContext): State
}
