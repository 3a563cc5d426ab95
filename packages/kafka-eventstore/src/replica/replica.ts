// The port of the owner's local copy of its partition: the lookup by key that Kafka does not have.
import type { Appended, Logger, RecordedEvent } from '@narrative/core'
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
  /** Makes it ready; whoever reads the log into it does so after this. May be called again after an error, or for nothing. */
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
}

/** Where an instance keeps the replicas of its partitions. */
export interface ReplicaStorage {
  /** A replica that is not open yet. */
  create(place: ReplicaPlace): Replica
}
