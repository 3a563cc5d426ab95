// The state of an aggregate: the latest snapshot, if there is one, and every event after it.
import type { EventCodec } from '../codec/event-codec.js'
import type { AggregateDefinition } from '../definition/aggregate-definition.js'
import type { EventStore, ReadOptions } from '../event-store/event-store.js'
import type { SnapshotStore } from '../event-store/snapshot-store.js'
import type { StreamId } from '../messages/stream-id.js'

/** An aggregate as of a version. */
export interface LoadedAggregate<State = any> {
  readonly state: State
  /** 0 when there is no stream. */
  readonly version: number
}

/** Where aggregates come from. */
export interface AggregateSource {
  readonly eventStore: EventStore
  readonly codec: EventCodec
}

/** What the past is read from. */
type PastSource = { readonly eventStore: Pick<EventStore, 'read'>; readonly codec: EventCodec }

/**
 * The newest state; remembers it in the snapshot store.
 * Snapshots only ever come from recorded events, so a state is the same whether it was kept or folded anew.
 */
export async function loadAggregate(
  source: AggregateSource & { readonly snapshots: SnapshotStore },
  definition: AggregateDefinition,
  streamId: StreamId,
): Promise<LoadedAggregate> {
  const snapshot = source.snapshots.load(streamId)
  const usable = snapshot !== undefined && snapshot.revision === definition.revision
  const start = usable ? snapshot : { state: definition.initial(), version: 0 }
  try {
    const loaded = await fold(source, definition, streamId, start, { from: start.version + 1 })
    if (loaded.version > start.version) source.snapshots.save(streamId, { ...loaded, revision: definition.revision })
    return loaded
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
