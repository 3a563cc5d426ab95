// Snapshots that outlive the process, where the event store keeps any: states as plain data, one for many events.
//
// They only ever spare work. What cannot be kept or read back is said once in the log, and the events are folded instead.
import { findUnstorable } from '../codec/find-unstorable.js'
import type { AggregateDefinition } from '../definition/aggregate-definition.js'
import type { Logger } from '../event-store/logger.js'
import type { SnapshotStore } from '../event-store/snapshot-store.js'
import type { StreamId } from '../messages/stream-id.js'
import type { LoadedAggregate } from './loaded-aggregate.js'

export class StoredSnapshots {
  readonly #store: SnapshotStore
  readonly #logger: Logger
  /** Categories whose states were refused: once is enough to say it. */
  readonly #refused = new Set<string>()

  constructor(store: SnapshotStore, logger: Logger) {
    this.#store = store
    this.#logger = logger
  }

  load(definition: AggregateDefinition, streamId: StreamId): LoadedAggregate | undefined {
    const { snapshots, revision } = definition
    if (snapshots === undefined) return undefined
    try {
      const found = this.#store.load(streamId)
      if (found === undefined) return undefined
      if (found.revision === revision) return { state: snapshots.fromData(found.state), version: found.version }
      this.#store.discard(streamId)
    } catch (error) {
      this.unreadable(streamId, error)
    }
    return undefined
  }

  /** Keeps a state when a snapshot is due between the version it was loaded from and its own. */
  save(definition: AggregateDefinition, streamId: StreamId, from: number, { state, version }: LoadedAggregate): void {
    const { snapshots, revision, category } = definition
    if (snapshots === undefined || this.#refused.has(category)) return
    if (Math.floor(version / snapshots.every) === Math.floor(from / snapshots.every)) return
    try {
      const data = snapshots.toData(state)
      const fault = findUnstorable(data, { plain: true }, 'the state')
      if (fault === undefined) this.#store.save(streamId, { state: data, version, revision })
      else this.#refuse(category, streamId, fault)
    } catch (error) {
      this.#refuse(category, streamId, error)
    }
  }

  /** Ignored from now on; the events say what the state is. */
  unreadable(streamId: StreamId, error: unknown): void {
    this.#logger.warn(
      { streamId, error },
      `The snapshot of ${streamId} cannot be read back; its events are read instead`,
    )
    this.#store.discard(streamId)
  }

  #refuse(category: string, streamId: StreamId, why: unknown): void {
    this.#refused.add(category)
    const text = why instanceof Error ? why.message : why
    this.#logger.warn(
      { category, streamId },
      `No snapshots of ${category} are kept: ${text}. Give the aggregate toSnapshot and fromSnapshot, or take snapshotEvery away.`,
    )
  }
}
