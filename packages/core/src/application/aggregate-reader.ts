// Looks into one aggregate's past: its history, and its state now or then.
import type { EventCodec } from '../codec/event-codec.js'
import { type LoadedAggregate, loadAggregateAsOf } from '../command-handling/load-aggregate.js'
import type { AggregateDefinition } from '../definition/aggregate-definition.js'
import { NarrativeError } from '../errors/narrative-error.js'
import type { EventStore } from '../event-store/event-store.js'
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

/** Reads aggregates without changing them. */
export interface AggregateReader {
  /** The events of an aggregate in version order; none when it does not exist. */
  history(aggregate: object, aggregateId: string, until?: Until): AsyncIterable<DecodedEvent>
  /** The state of an aggregate, folded from its events; version 0 and the initial state when it does not exist. */
  state<State>(
    aggregate: (new () => State) | AggregateDefinition<State>,
    aggregateId: string,
    until?: Until,
  ): Promise<LoadedAggregate<State>>
}

export function createAggregateReader(
  source: { readonly eventStore: Pick<EventStore, 'read'>; readonly codec: EventCodec },
  definitionOf: (aggregate: object) => AggregateDefinition,
): AggregateReader {
  const upTo = ({ position }: Until) =>
    position === undefined ? source : { ...source, eventStore: endingAt(source.eventStore, position) }
  const rangeOf = ({ version, asOf }: Until) => ({ to: version, asOf: asOf instanceof Date ? asOf.getTime() : asOf })
  return {
    async *history(aggregate, aggregateId, until = {}) {
      const streamId = toStreamId(definitionOf(aggregate).category, aggregateId)
      for await (const recorded of upTo(until).eventStore.read(streamId, rangeOf(until))) {
        const { data: _data, contentType: _contentType, ...rest } = recorded
        yield { ...rest, event: source.codec.decode(recorded) }
      }
    },
    state(aggregate, aggregateId, until = {}) {
      const definition = definitionOf(aggregate)
      return loadAggregateAsOf(upTo(until), definition, toStreamId(definition.category, aggregateId), rangeOf(until))
    },
  }
}

/** Positions order the events of one partition, so a stream of another one has no answer. */
function endingAt(eventStore: Pick<EventStore, 'read'>, until: Position | string): Pick<EventStore, 'read'> {
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
