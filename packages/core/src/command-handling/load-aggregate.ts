// The state of an aggregate: the one that was kept, or else its latest snapshot, and every event after it.
import type { EventCodec } from '../codec/event-codec.js'
import type { AggregateDefinition } from '../definition/aggregate-definition.js'
import type { EventStore, ReadOptions } from '../event-store/event-store.js'
import type { SnapshotStore } from '../event-store/snapshot-store.js'
import type { StreamId } from '../messages/stream-id.js'
import type { LoadedAggregate } from './loaded-aggregate.js'
import type { StoredSnapshots } from './stored-snapshots.js'

/** Where aggregates come from. */
export interface AggregateSource {
  readonly eventStore: EventStore
  readonly codec: EventCodec
}

/** What the past is read from. */
type PastSource = { readonly eventStore: Pick<EventStore, 'read'>; readonly codec: EventCodec }

/** An aggregate, and where its load began. */
export interface FreshAggregate extends LoadedAggregate {
  /** The version it was kept at; 0 when every event was read. */
  readonly from: number
}

/** Where states are found that need not be folded from the first event on. */
export interface KnownStates {
  /** The states used last, as live objects. */
  readonly snapshots: SnapshotStore
  /** Those that outlive the process; none where the event store keeps none. */
  readonly storedSnapshots: StoredSnapshots | undefined
}

/**
 * The newest state; it is kept for the next load.
 * States only ever come from recorded events, so one is the same whether it was kept or folded anew.
 */
export async function loadAggregate(
  source: AggregateSource & KnownStates,
  definition: AggregateDefinition,
  streamId: StreamId,
): Promise<FreshAggregate> {
  const kept = source.snapshots.load(streamId)
  if (kept?.revision === definition.revision) return foldAndKeep(source, definition, streamId, kept)
  const stored = source.storedSnapshots?.load(definition, streamId)
  if (stored !== undefined) {
    try {
      return await foldAndKeep(source, definition, streamId, stored)
    } catch (error) {
      // A state that was read back may be one that no event ever led to. The events themselves have the last word.
      source.storedSnapshots?.unreadable(streamId, error)
    }
  }
  return foldAndKeep(source, definition, streamId, { state: definition.initial(), version: 0 })
}

async function foldAndKeep(
  source: AggregateSource & KnownStates,
  definition: AggregateDefinition,
  streamId: StreamId,
  start: LoadedAggregate,
): Promise<FreshAggregate> {
  const from = start.version
  try {
    const loaded = await fold(source, definition, streamId, start, { from: from + 1 })
    if (loaded.version > 0) source.snapshots.save(streamId, { ...loaded, revision: definition.revision })
    return { ...loaded, from }
  } catch (error) {
    // The state may be half folded, and it is the very object the snapshot holds.
    source.snapshots.discard(streamId)
    throw error
  }
}

/** A state of the past: up to a version, or as of an instant. */
export function loadAggregateAsOf(
  source: PastSource,
  definition: AggregateDefinition,
  streamId: StreamId,
  until: Pick<ReadOptions, 'to' | 'asOf'>,
): Promise<LoadedAggregate> {
  return fold(source, definition, streamId, { state: definition.initial(), version: 0 }, until)
}

async function fold(
  { eventStore, codec }: PastSource,
  definition: AggregateDefinition,
  streamId: StreamId,
  start: LoadedAggregate,
  range: ReadOptions,
): Promise<LoadedAggregate> {
  let { state, version } = start
  for await (const recorded of eventStore.read(streamId, range)) {
    state = definition.evolve(state, codec.decode(recorded), recorded)
    version = recorded.version
  }
  return { state, version }
}
