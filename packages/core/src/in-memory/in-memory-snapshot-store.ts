import { LRUCache } from 'lru-cache'
import type { Snapshot, SnapshotStore } from '../event-store/snapshot-store.js'
import type { StreamId } from '../messages/stream-id.js'

/**
 * The states of the aggregates used last, as live objects: nothing is copied, so a state that is loaded belongs to
 * the loader until it is saved again or discarded.
 */
export class InMemorySnapshotStore implements SnapshotStore {
  private readonly snapshots: LRUCache<StreamId, Snapshot>

  /** @param max how many streams to keep; the one unused for longest is forgotten first */
  constructor({ max = 10_000 }: { readonly max?: number } = {}) {
    this.snapshots = new LRUCache({ max })
  }

  load(streamId: StreamId): Snapshot | undefined {
    return this.snapshots.get(streamId)
  }

  save(streamId: StreamId, snapshot: Snapshot): void {
    this.snapshots.set(streamId, snapshot)
  }

  discard(streamId: StreamId): void {
    this.snapshots.delete(streamId)
  }
}
