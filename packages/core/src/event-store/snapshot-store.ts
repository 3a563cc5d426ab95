// The port for aggregate state kept beside the log: a cache, never a source of truth.
import type { StreamId } from '../messages/stream-id.js'

/** The state of an aggregate right after the event of this version. */
export interface Snapshot<State = unknown> {
  readonly state: State
  readonly version: number
  /** The revision of the aggregate's definition; a snapshot of another revision is ignored. */
  readonly revision: number
}

/**
 * Keeps the latest snapshot of streams. May forget any of them at any time.
 *
 * In memory the states are live objects. A store that outlives the process keeps plain data, and takes it before `save` returns.
 */
export interface SnapshotStore {
  load(streamId: StreamId): Snapshot | undefined
  save(streamId: StreamId, snapshot: Snapshot): void
  discard(streamId: StreamId): void
}
