// The port to Kafka: the few wire operations the event store needs, with outcomes instead of retries.
//
// A driver retries what is safe to repeat (metadata, reads, InitProducerId) within its request timeout.
// It never repeats a produce: what a lost answer means is for the partition writer to find out.
import type { NarrativeError } from '@narrative/core'

/** A record as it goes to the broker. */
export interface ProducerRecord {
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly RecordHeader[]
}

/** A header of a record: the value is UTF-8 text or raw bytes. */
export interface RecordHeader {
  readonly key: string
  readonly value: string | Uint8Array
}

/** Who writes a batch: the broker accepts only the newest epoch of a producer id. */
export interface ProducerIdentity {
  readonly producerId: bigint
  readonly epoch: number
}

/** One idempotent record batch: one partition, atomic, no transaction. */
export interface RecordBatch {
  readonly topic: string
  readonly partition: number
  readonly identity: ProducerIdentity
  /** Sequence number of its first record, counted from 0 under an identity. */
  readonly sequence: number
  /** Record timestamp of the whole batch, milliseconds since 1970 UTC. */
  readonly time: number
  readonly records: readonly ProducerRecord[]
}

/** What is known of a batch after it was sent. */
export type ProduceOutcome =
  | { readonly outcome: 'done'; readonly baseOffset: number }
  | {
      /** Certainly not in the log. */
      readonly outcome: 'not-done'
      /** `fenced`: an older epoch. `too-large`: over the topic's limit. `retry`: leadership moved or the like; the same batch may be sent again. `refused`: anything else the broker will not accept. */
      readonly reason: 'fenced' | 'too-large' | 'retry' | 'refused'
      readonly error: Error
    }
  | { readonly outcome: 'unknown'; readonly error: Error }

/** A record as it comes from the broker. Views into the response: copy what you keep. */
export interface FetchedRecord {
  readonly offset: number
  /** Milliseconds since 1970 UTC. */
  readonly time: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  /** The text of a header. To read several in the order they were written in is the quickest way. */
  header(name: string): string | undefined
  /** All headers, as bytes: for a record that has to be kept as it is. */
  headers(): readonly (readonly [name: string, value: Buffer | null])[]
}

/** Some adjacent records of a partition. */
export interface FetchResult {
  /** Data records only, in order; control records are skipped. */
  readonly records: readonly FetchedRecord[]
  /** Where to fetch next: past every record and control record of this answer. */
  readonly nextOffset: number
  readonly highWatermark: number
}

/** What to fetch. */
export interface FetchRequest {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly maxBytes: number
  /** How long the broker may wait for a first record, milliseconds. */
  readonly maxWait: number
  /** Whether it may travel with others of the same moment: then a record for one of them ends the wait of all. */
  readonly shared?: boolean
  readonly signal?: AbortSignal
}

/** A topic as the cluster has it. */
export interface TopicDescription {
  readonly name: string
  readonly partitions: number
  readonly replicationFactor: number
  /** Effective settings, such as `cleanup.policy` and `retention.ms`. */
  readonly settings: Readonly<Record<string, string>>
}

/** A topic to create. */
export interface TopicSpecification {
  readonly name: string
  readonly partitions: number
  /** -1 asks for the broker's default. */
  readonly replicationFactor: number
  readonly settings: Readonly<Record<string, string>>
}

/** First offset of a partition, and the offset its next record will get (the high watermark). */
export interface PartitionOffsets {
  readonly start: number
  readonly end: number
}

/** How to take part in a group. */
export interface GroupOptions {
  readonly group: string
  /** What is shared: partition n of all of them goes to the same member. */
  readonly topics: readonly { readonly name: string; readonly partitions: number }[]
  /**
   * A name of this member that outlives its process (KIP-345): who joins under it is given at once what it had. Whoever
   * had it before is fenced.
   */
  readonly instanceId?: string
  /** Milliseconds of silence after which the group gives a member's partitions to others. */
  readonly sessionTimeout: number
  /** How many members keep a copy of each partition beside its owner; default none. The same for all of them. */
  readonly standbys?: number
  /** What this member could serve at once: what it serves, and what it has read nearly all of. */
  warm?(): Readonly<Record<string, readonly number[]>>
  /** Whether it can own nothing at the moment: its disk is full, say. Then others get its part, if there are any who can. */
  unfit?(): boolean
  /**
   * Called at each change with everything that is this member's from now on: partitions by topic.
   * @param generation the group's count of its rounds; a member that missed a number was not in it meanwhile
   * @param followed what it is to keep a copy of; some of that may become its own as soon as it is warm
   */
  onAssigned(
    assignment: Readonly<Record<string, readonly number[]>>,
    generation: number,
    followed?: Readonly<Record<string, readonly number[]>>,
  ): void
}

/** Being a member of a group. It decides who should work (liveness), never who may write: that is for claims. */
export interface Membership {
  /** Up to this moment of `performance.now()` nobody else can have been given what is this member's; 0 when unsure. */
  readonly sureUntil: number
  /** Set when it is no member any more and will not be again: `INSTANCE_REPLACED`. */
  readonly failure?: NarrativeError | undefined
  /** Milliseconds since the group last answered. */
  readonly silentFor: number
  /** Resolves when the group has said, after this call, what is this member's; `onAssigned` was called if it changed. */
  confirm(): Promise<void>
  /** The offset that the group remembers for a partition. */
  committed(topic: string, partition: number): Promise<number | undefined>
  /**
   * Makes the group remember an offset. Rejects when this member may not say so any more, or when the answer was lost: what
   * became of that one is decided before a later commit is taken, which it can never undo.
   */
  commit(topic: string, partition: number, offset: number): Promise<void>
  /** Gives everything back. Never throws: a group that cannot be told finds out by itself. */
  leave(): Promise<void>
}

/** The wire operations. Errors are `NarrativeError`s: `BROKER_UNREACHABLE`, `BROKER_REFUSED`, `TOPIC_INVALID`, `LOG_TRUNCATED`, `STORE_CLOSED`. */
export interface KafkaDriver {
  connect(): Promise<void>
  /** Topics that do not exist are left out of the answer. */
  describeTopics(names: readonly string[]): Promise<ReadonlyMap<string, TopicDescription>>
  /** Creates a topic; one that exists already is left as it is. Resolves when its leaders are known. */
  createTopic(topic: TopicSpecification): Promise<void>
  /** InitProducerId: a producer id and an epoch above every earlier one of this transactional id. */
  initProducerId(transactionalId: string): Promise<ProducerIdentity>
  /** Sends a batch once. Never throws: whatever happens is an outcome. */
  produce(batch: RecordBatch): Promise<ProduceOutcome>
  /** @throws NarrativeError `LOG_TRUNCATED` when `offset` lies outside the partition */
  fetch(request: FetchRequest): Promise<FetchResult>
  offsets(topic: string, partition: number): Promise<PartitionOffsets>
  /** Becomes a member of a group; resolves after its first assignment. */
  joinGroup(options: GroupOptions): Promise<Membership>
  close(): Promise<void>
}
