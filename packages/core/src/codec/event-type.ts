// What the codec knows of one kind of event: its name, its schema version, and how to bring it back to life.

import type { Class } from '../messages/message-class.js'

/** Turns the data of schema version n into that of version n + 1. */
export type Upcaster = (data: any) => unknown

/** One kind of event, read from `@Event` or from a decider's table. */
export interface EventType<E extends object = object> {
  /** The stable name; it is storage. */
  readonly name: string
  /** The schema version written today. */
  readonly version: number
  /** The class of its events; undefined for plain `{ type, data }` events. */
  readonly eventClass: Class<E> | undefined
  /** Makes an event out of plain data of today's version. */
  revive(data: unknown): E
  /** The plain data of an event. */
  plain(event: E): unknown
  /** Whether `revive` rebuilds values that JSON flattens, such as dates; only then may an event hold them. */
  readonly revivesRichValues: boolean
  /** By the version they start from. */
  readonly upcasters: ReadonlyMap<number, Upcaster>
}
