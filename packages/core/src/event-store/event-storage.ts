// How an application opens an adapter: one factory value, given to createApplication({ eventStore }).
import type { Clock } from './clock.js'
import type { CommandRouter } from './command-router.js'
import type { EventLog } from './event-log.js'
import type { EventStore } from './event-store.js'
import type { Logger } from './logger.js'
import type { PartitionStatus } from './partition-status.js'
import type { SnapshotStore } from './snapshot-store.js'

/** What an adapter is told when it is opened. */
export interface StorageContext {
  /** Every category this application appends to or reads. */
  readonly categories: readonly string[]
  readonly clock: Clock
  readonly logger: Logger
}

/** Whether a part works, and what it is waiting for when it does not. */
export interface Health {
  readonly ready: boolean
  /** Sentences; empty when ready. */
  readonly reasons: readonly string[]
}

/** An adapter in use. */
export interface OpenStorage {
  readonly eventStore: EventStore
  readonly eventLog: EventLog
  /** How requests reach the owner of a stream; none when every stream is owned here. */
  readonly router?: CommandRouter
  /** Snapshots that outlive the process; none where only events are kept. States in them are plain data. */
  readonly snapshots?: SnapshotStore
  health(): Health
  /** Every partition of the categories it was opened for, whoever owns it. */
  status(): readonly PartitionStatus[]
  /** Finishes what is under way, then lets go of every connection. */
  close(): Promise<void>
}

/** Something that was looked at, and how it was found. */
export interface Finding {
  /** `warning`: it works, but not as well as it should. `fault`: a service would not start, or could lose something. */
  readonly state: 'ok' | 'warning' | 'fault'
  /** What was looked at: `topic shop.order.events`. */
  readonly subject: string
  /** What was found; for a fault also what to do. */
  readonly detail: string
}

/** An adapter, configured and not yet opened: `inMemoryEventStore()`, `kafkaEventStore({ brokers })`. */
export interface EventStorage {
  readonly name: string
  /** Resolves when appends and reads are served. */
  open(context: StorageContext): Promise<OpenStorage>
  /**
   * Looks whether it could be opened for these categories, and changes nothing: for a doctor beside the running service.
   * What cannot be reached is a finding, too.
   */
  inspect?(context: StorageContext): Promise<readonly Finding[]>
}
