// One partition of the in-memory log: its records by offset and its streams by version.
//
// As on Kafka, an owner's claim is a record like any other and takes an offset, so offsets are not indexes and
// a checkpoint may move without an event.
import type { Checkpoint, EventBatch } from '../event-store/event-log.js'
import type { Appended, AppendOptions, AppendResult } from '../event-store/event-store.js'
import type { PartitionStatus } from '../event-store/partition-status.js'
import type { NewEvent, RecordedEvent } from '../event-store/recorded-event.js'
import type { StreamId } from '../messages/stream-id.js'

interface Claim {
  readonly id: string
  readonly offset: number
}

interface Stream {
  readonly events: RecordedEvent[]
  readonly appends: Map<string, Appended>
}

/** Holds what was appended; checks versions and command ids; knows nothing of callers and subscribers. */
export class InMemoryPartition {
  private readonly events: RecordedEvent[] = []
  private readonly claims: Claim[] = []
  private readonly streams = new Map<StreamId, Stream>()

  constructor(
    readonly topic: string,
    readonly partition: number,
  ) {}

  /** The offset the next record will get. */
  get end(): number {
    return this.events.length + this.claims.length
  }

  /** Who may append: the latest claim. */
  get owner(): string | undefined {
    return this.claims.at(-1)?.id
  }

  status(state: PartitionStatus['state']): PartitionStatus {
    const { topic, partition, end: offset } = this
    return { topic, partition, state, offset, lag: 0, voids: 0, waiting: 0 }
  }

  claim(id: string): void {
    this.claims.push({ id, offset: this.end })
  }

  /** Decides and writes in one synchronous step, so no two appends can see the same version. */
  append(streamId: StreamId, events: readonly NewEvent[], options: AppendOptions, now: number): AppendResult {
    let stream = this.streams.get(streamId)
    const earlier = stream?.appends.get(options.metadata.commandId)
    if (earlier !== undefined) return { ...earlier, duplicate: true }

    const actualVersion = stream?.events.length ?? 0
    if (options.expectedVersion !== 'any' && options.expectedVersion !== actualVersion) {
      return { outcome: 'conflict', actualVersion }
    }
    if (stream === undefined) {
      stream = { events: [], appends: new Map() }
      this.streams.set(streamId, stream)
    }

    // A clock that is set back must not turn history around.
    const time = Math.max(now, this.events.at(-1)?.time ?? 0)
    for (const event of events) {
      const recorded: RecordedEvent = {
        id: event.id,
        type: event.type,
        schemaVersion: event.schemaVersion,
        contentType: event.contentType,
        data: event.data,
        streamId,
        version: stream.events.length + 1,
        position: { topic: this.topic, partition: this.partition, offset: this.end },
        time,
        metadata: options.metadata,
      }
      stream.events.push(recorded)
      this.events.push(recorded)
    }
    const last = this.events.at(-1)!
    const appended: Appended = {
      outcome: 'appended',
      firstVersion: actualVersion + 1,
      version: last.version,
      position: last.position,
      duplicate: false,
    }
    stream.appends.set(options.metadata.commandId, appended)
    return appended
  }

  /** The events of a stream in version order; the array is live, so note its length before waiting for anything. */
  stream(streamId: StreamId): readonly RecordedEvent[] {
    return this.streams.get(streamId)?.events ?? []
  }

  findCommand(streamId: StreamId, commandId: string): Appended | undefined {
    const earlier = this.streams.get(streamId)?.appends.get(commandId)
    return earlier && { ...earlier, duplicate: true }
  }

  /** At most `limit` events from an offset on; undefined when there is no record at or after it. */
  batch(offset: number, limit: number): EventBatch | undefined {
    if (offset >= this.end) return undefined
    const index = offset - this.claims.filter((claim) => claim.offset < offset).length
    const events = this.events.slice(index, index + limit)
    const complete = index + events.length === this.events.length
    const next = complete ? this.end : events.at(-1)!.position.offset + 1
    return {
      topic: this.topic,
      partition: this.partition,
      events,
      checkpoint: this.checkpoint(next),
      end: this.end,
    }
  }

  /** Says where a reader from there on begins. */
  emptyBatch(offset: number): EventBatch {
    const { topic, partition, end } = this
    return { topic, partition, events: [], checkpoint: this.checkpoint(offset), end }
  }

  private checkpoint(offset: number): Checkpoint {
    const claim = this.claims.findLast((candidate) => candidate.offset < offset)
    return { topic: this.topic, partition: this.partition, offset, claim: claim?.id ?? null }
  }
}
