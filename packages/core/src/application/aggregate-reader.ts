// Looks into one aggregate's past: its history, and its state now or then.
import type { EventCodec } from '../codec/event-codec.js'
import { loadAggregateAsOf } from '../command-handling/load-aggregate.js'
import type { LoadedAggregate } from '../command-handling/loaded-aggregate.js'
import type { AggregateDefinition } from '../definition/aggregate-definition.js'
import { NarrativeError } from '../errors/narrative-error.js'
import type { Checkpoint } from '../event-store/event-log.js'
import type { EventStore, ReplicaRead } from '../event-store/event-store.js'
import type { RecordedEvent } from '../event-store/recorded-event.js'
import { type Position, parsePosition } from '../messages/position.js'
import { toStreamId } from '../messages/stream-id.js'

/** A recorded event with its revived object. */
export interface DecodedEvent extends Omit<RecordedEvent, 'data' | 'contentType'> {
  readonly event: object
}

/** Which past to look at: everything by default. */
export interface Until {
  /** Up to this version of the stream. */
  readonly version?: number
  /** Up to this instant: a Date, or milliseconds since 1970 UTC. */
  readonly asOf?: Date | number
  /** Up to and including the event at this position (or its token), which is one of the stream's partition. */
  readonly position?: Position | string
}

/** How to look at a state. */
export interface StateOptions extends Until {
  /**
   * `strong`, the default: the owner's word, which contains everything acknowledged before. `replica`: the copy that this
   * instance has, owned or followed, without asking the owner; strong all the same when there is none here.
   */
  readonly consistency?: 'strong' | 'replica'
}

/** A state, and how fresh it is. */
export interface AggregateState<State> extends LoadedAggregate<State> {
  /** Set when a copy was read: the state reflects everything in the log before this. */
  readonly checkpoint?: Checkpoint
}

/** Reads aggregates without changing them. */
export interface AggregateReader {
  /** The events of an aggregate in version order; none when it does not exist. */
  history(aggregate: object, aggregateId: string, until?: Until): AsyncIterable<DecodedEvent>
  /** The state of an aggregate, folded from its events; version 0 and the initial state when it does not exist. */
  state<State>(
    aggregate: (new () => State) | AggregateDefinition<State>,
    aggregateId: string,
    options?: StateOptions,
  ): Promise<AggregateState<State>>
}

type Reader = Pick<EventStore, 'read'>

export function createAggregateReader(
  source: { readonly eventStore: Pick<EventStore, 'read' | 'readReplica'>; readonly codec: EventCodec },
  definitionOf: (aggregate: object) => AggregateDefinition,
): AggregateReader {
  const upTo = ({ position }: Until, eventStore: Reader = source.eventStore) =>
    position === undefined ? eventStore : endingAt(eventStore, position)
  const rangeOf = ({ version, asOf }: Until) => ({ to: version, asOf: asOf instanceof Date ? asOf.getTime() : asOf })
  return {
    async *history(aggregate, aggregateId, until = {}) {
      const streamId = toStreamId(definitionOf(aggregate).category, aggregateId)
      for await (const recorded of upTo(until).read(streamId, rangeOf(until))) {
        const { data: _data, contentType: _contentType, ...rest } = recorded
        yield { ...rest, event: source.codec.decode(recorded) }
      }
    },
    async state(aggregate, aggregateId, { consistency = 'strong', ...until } = {}) {
      const definition = definitionOf(aggregate)
      const streamId = toStreamId(definition.category, aggregateId)
      const range = rangeOf(until)
      const copy = consistency === 'replica' ? await source.eventStore.readReplica?.(streamId, range) : undefined
      const eventStore = upTo(until, copy && readerOf(copy))
      const loaded = await loadAggregateAsOf({ ...source, eventStore }, definition, streamId, range)
      return copy === undefined ? loaded : { ...loaded, checkpoint: copy.checkpoint }
    },
  }
}

function readerOf({ events }: ReplicaRead): Reader {
  return {
    async *read() {
      yield* events
    },
  }
}

/** Positions order the events of one partition, so a stream of another one has no answer. */
function endingAt(eventStore: Reader, until: Position | string): Reader {
  const { topic, partition, offset } = typeof until === 'string' ? parsePosition(until) : until
  return {
    async *read(streamId, options) {
      for await (const event of eventStore.read(streamId, options)) {
        const { position } = event
        if (position.topic !== topic || position.partition !== partition) {
          throw new NarrativeError('POSITION_INVALID', {
            message: `${streamId} lives in ${position.topic}/${position.partition}, so it cannot be read as of a position in ${topic}/${partition}. Give a position of one of its own events, or an instant.`,
            details: { streamId, topic, partition },
          })
        }
        if (position.offset > offset) return
        yield event
      }
    },
  }
}
