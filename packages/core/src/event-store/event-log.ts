// The port of the read side: the log by partition, from any checkpoint on.
import type { Position } from '../messages/position.js'
import type { RecordedEvent } from './recorded-event.js'

/** How far a reader of one partition has come. Plain JSON: store it whole. */
export interface Checkpoint {
  readonly topic: string
  readonly partition: number
  /** The next offset to read. */
  readonly offset: number
  /** The claim in force at that offset; the log decides by it which records count. */
  readonly claim: string | null
}

/** One partition and how much of the log it holds. */
export interface LogPartition {
  readonly topic: string
  readonly partition: number
  /** The first offset. */
  readonly start: number
  /** The offset the next record will get. */
  readonly end: number
}

/** A record of the log that is no event, or none that can be read: as it is there. */
export interface UnreadableRecord {
  readonly position: Position
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly (readonly [name: string, value: Uint8Array | null])[]
  /** Milliseconds since 1970 UTC. */
  readonly time: number
  /** The claim in force where it stands. */
  readonly claim: string | null
  /** The stream it is an event of, when so much of it can be read. */
  readonly streamId: string | undefined
  /** Why it cannot be read. */
  readonly error: Error
}

/** Some adjacent events of one partition. May be empty: then only the checkpoint moved. */
export interface EventBatch {
  readonly topic: string
  readonly partition: number
  readonly events: readonly RecordedEvent[]
  /** Records between them that cannot be read, when they were asked for. */
  readonly unreadable?: readonly UnreadableRecord[]
  /** Where to go on after this batch. */
  readonly checkpoint: Checkpoint
  /** The end of the partition as known when the batch was read. */
  readonly end: number
}

/** What to read. */
export interface SubscribeOptions {
  readonly categories: readonly string[]
  /**
   * `start`: from offset 0. `end`: only what comes; an empty first batch of each partition says from where on that is, and
   * what is appended after it will be seen. Checkpoints: from there on, and partitions without one from offset 0. A position
   * may take the place of a checkpoint: it begins with that event.
   */
  readonly from: 'start' | 'end' | readonly (Checkpoint | Position)[]
  /**
   * `refuse`: a record that cannot be read ends the subscription, `LOG_CORRUPT`. `give`: it is given as it is, for whoever can put it
   * aside; a batch whose checksum is wrong still ends it. Default `refuse`.
   */
  readonly unreadable?: 'refuse' | 'give'
  /** Only these partitions (numbers, the same for each category); default all. */
  readonly partitions?: readonly number[]
  /** Ends the subscription, between two batches, without an error. */
  readonly signal?: AbortSignal
}

/** How instances of a service share the reading of some categories. */
export interface ShareOptions {
  /** Those who name the same group share; each partition is read by one of them. */
  readonly group: string
  readonly categories: readonly string[]
  /**
   * Called at each change with all that is this instance's from now on, the first time before `share` resolves. It says who should
   * read; for a moment two may believe that they should.
   */
  onAssigned(partitions: readonly Pick<LogPartition, 'topic' | 'partition'>[]): void
}

/** Taking part in the reading of a group. */
export interface ReaderShare {
  /** Gives its partitions to the others. Never throws. */
  leave(): Promise<void>
}

/** The log of all events, in order within each partition. */
export interface EventLog {
  /** The partitions of a category, by partition number. */
  partitions(category: string): Promise<readonly LogPartition[]>

  /**
   * Batches as they come, for ever, until `signal` aborts or the loop is left.
   *
   * @throws NarrativeError `LOG_TRUNCATED` when a checkpoint lies outside the log, `LOG_CORRUPT`, `STORE_CLOSED`
   */
  subscribe(options: SubscribeOptions): AsyncIterable<EventBatch>

  /**
   * Tries again to read a record that could not be read; a log without it has no such records.
   * @throws NarrativeError `LOG_CORRUPT`
   */
  reread?(record: Omit<UnreadableRecord, 'error' | 'streamId'>): RecordedEvent

  /**
   * Shares the partitions of categories with the other instances that read in this group. A log without it is read by one process,
   * which has all partitions.
   */
  share?(options: ShareOptions): Promise<ReaderShare>
}
