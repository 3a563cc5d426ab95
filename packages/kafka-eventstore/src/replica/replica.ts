// The port of the owner's local copy of its partition: the lookup by key that Kafka does not have.
import type { Appended, Logger, NarrativeError, RecordedEvent, SnapshotStore } from '@narrative/core'
import type { KafkaDriver } from '../driver/kafka-driver.js'
import type { LogPoint } from '../fold.js'

/**
 * Everything the owner of one partition must know to check versions, recognise commands and read streams.
 *
 * Lookups are synchronous: they stand in the hot path of every append, and an on-disk replica keeps its index in memory
 * or reads it through a memory map. A replica is a cache of the log: one in doubt is thrown away and built again.
 */
export interface Replica {
  /** How far into the log it reaches. */
  readonly point: LogPoint
  /** Time of the newest event, 0 when there is none. */
  readonly lastTime: number
  /** Version of a stream, 0 when there is none. */
  version(streamId: string): number
  /** What a command appended to a stream, if it did. */
  findCommand(streamId: string, commandId: string): Appended | undefined
  /** Events of a stream from version `from` to version `to`, both included. */
  read(streamId: string, from: number, to: number): Iterable<RecordedEvent>
  /**
   * Adds events and moves the point, in one step.
   * @param events adjacent and in log order; whatever of them is kept is copied
   * @returns events whose version is not the next of their stream: they are left out
   */
  apply(events: readonly RecordedEvent[], point: LogPoint): readonly RecordedEvent[]
  /** Snapshots of its streams, as plain data; none where a restart would lose them anyway. */
  readonly snapshots?: SnapshotStore | undefined
  /**
   * Makes it ready; whoever reads the log into it does so after this. May be called again after an error, or for nothing.
   * @throws NarrativeError `DISK_FAILED` when this instance cannot keep it
   */
  open?(): Promise<void>
  /** A promise while it cannot take more; it should be waited for before much is applied. */
  readonly room?: Promise<void> | undefined
  /** Lets go of what it holds; never rejects. */
  close?(): Promise<void>
}

/** What a replica is a copy of. */
export interface ReplicaPlace {
  readonly driver: KafkaDriver
  readonly topic: string
  readonly partition: number
  readonly logger: Logger
  /** Told when it can go on no further, whatever it was busy with: it throws from then on, until it is opened again. */
  readonly onFailure?: (failure: NarrativeError) => void
}

/** Where an instance keeps the replicas of its partitions. */
export interface ReplicaStorage {
  /** A replica that is not open yet. */
  create(place: ReplicaPlace): Replica
}
