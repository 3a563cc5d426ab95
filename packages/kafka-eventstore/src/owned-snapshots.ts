// The snapshots of streams that are owned here, each with the replica of its partition.
import type { Snapshot, SnapshotStore, StreamId } from '@narrative/core'
import type { PartitionOwners } from './partition-owners.js'
import type { StreamPlaces } from './stream-places.js'

export class OwnedSnapshots implements SnapshotStore {
  readonly #places: StreamPlaces
  readonly #owners: PartitionOwners

  constructor(places: StreamPlaces, owners: PartitionOwners) {
    this.#places = places
    this.#owners = owners
  }

  load(streamId: StreamId): Snapshot | undefined {
    return this.#of(streamId)?.load(streamId)
  }

  save(streamId: StreamId, snapshot: Snapshot): void {
    this.#of(streamId)?.save(streamId, snapshot)
  }

  discard(streamId: StreamId): void {
    this.#of(streamId)?.discard(streamId)
  }

  /** None of a stream that is another instance's. */
  #of(streamId: StreamId): SnapshotStore | undefined {
    const { topic, partition } = this.#places.of(streamId)
    return this.#owners.copy(topic, partition)?.snapshots
  }
}
