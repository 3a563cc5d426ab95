// The EventStore port on the partitions that are owned here: each stream goes to the owner of its partition.
import {
  type AppendOptions,
  type AppendResult,
  type EventStore,
  NarrativeError,
  type NewEvent,
  type ReadOptions,
  type RecordedEvent,
  type ReplicaRead,
  type StreamId,
} from '@narrative/core'
import type { PartitionOwner } from './partition-owner.js'
import type { PartitionOwners } from './partition-owners.js'
import { PendingAppend } from './pending-append.js'
import type { Replica } from './replica/replica.js'
import type { StreamPlaces } from './stream-places.js'

/** What the store works with. */
export interface OwnedStreamsOptions {
  readonly places: StreamPlaces
  readonly owners: PartitionOwners
  /** Up to this moment of `performance.now()` the group vouches for what is owned here. */
  sureUntil(): number
  /** Milliseconds. */
  readonly appendTimeout: number
  /** Aborts, with the error to throw, when the store is being closed. */
  readonly closing: AbortSignal
}

export class OwnedStreams implements EventStore {
  readonly #options: OwnedStreamsOptions

  constructor(options: OwnedStreamsOptions) {
    this.#options = options
  }

  async append(streamId: StreamId, events: readonly NewEvent[], options: AppendOptions): Promise<AppendResult> {
    const { appendTimeout, closing } = this.#options
    closing.throwIfAborted()
    if (events.length === 0) throw new RangeError(`An append to ${streamId} needs at least one event.`)
    const key = Buffer.from(streamId)
    const owner = this.#owner(streamId, key)
    for (;;) {
      const append = new PendingAppend(streamId, key, events, options, appendTimeout)
      const result = await owner.append(append)
      if (result.outcome === 'appended') return result
      // Only the log confirms an append; a conflict is told from the replica, and so only while that is sure to be current.
      await this.#assertCurrent(owner)
      if (owner.replica.version(streamId) === result.actualVersion) return result
    }
  }

  async *read(streamId: StreamId, options?: ReadOptions): AsyncIterable<RecordedEvent> {
    yield* eventsOf(await this.#replica(streamId), streamId, options)
  }

  async readReplica(streamId: StreamId, options?: ReadOptions): Promise<ReplicaRead | undefined> {
    const { closing, owners, places } = this.#options
    closing.throwIfAborted()
    const { topic, partition } = places.of(streamId)
    const copy = owners.copy(topic, partition)
    return copy && { events: eventsOf(copy, streamId, options), checkpoint: { topic, partition, ...copy.point } }
  }

  async findCommand(streamId: StreamId, commandId: string) {
    const replica = await this.#replica(streamId)
    return replica.findCommand(streamId, commandId)
  }

  /** The replica that answers for a stream, once it is certain to hold everything acknowledged so far. */
  async #replica(streamId: StreamId): Promise<Replica> {
    this.#options.closing.throwIfAborted()
    const owner = this.#owner(streamId)
    await this.#assertCurrent(owner)
    return owner.replica
  }

  #assertCurrent(owner: PartitionOwner): Promise<void> {
    return owner.assertCurrent(this.#options.sureUntil(), this.#options.appendTimeout)
  }

  #owner(streamId: StreamId, key?: Uint8Array): PartitionOwner {
    const { topic, partition } = this.#options.places.of(streamId, key)
    const owner = this.#options.owners.get(topic, partition)
    if (owner !== undefined) return owner
    throw new NarrativeError('NOT_OWNER', {
      message: `${streamId} lives in ${topic}/${partition}, which this instance does not own.`,
      details: { streamId, topic, partition },
    })
  }
}

/** What is appended while somebody reads belongs to the next read. */
function eventsOf(replica: Replica, streamId: StreamId, options: ReadOptions = {}): Iterable<RecordedEvent> {
  const { from = 1, to = Number.POSITIVE_INFINITY, asOf = Number.POSITIVE_INFINITY } = options
  const last = Math.min(to, replica.version(streamId))
  return (function* () {
    for (const event of replica.read(streamId, from, last)) {
      if (event.time > asOf) return // times never decrease
      yield event
    }
  })()
}
