// Looks into one aggregate's past: its history, and its state now or then.
import type { EventCodec } from '../codec/event-codec.js'
import { type LoadedAggregate, loadAggregateAsOf } from '../command-handling/load-aggregate.js'
import type { AggregateDefinition } from '../definition/aggregate-definition.js'
import type { EventStore } from '../event-store/event-store.js'
import type { RecordedEvent } from '../event-store/recorded-event.js'
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
  const rangeOf = ({ version, asOf }: Until) => ({ to: version, asOf: asOf instanceof Date ? asOf.getTime() : asOf })
  return {
    async *history(aggregate, aggregateId, until = {}) {
      const streamId = toStreamId(definitionOf(aggregate).category, aggregateId)
      for await (const recorded of source.eventStore.read(streamId, rangeOf(until))) {
        const { data: _data, contentType: _contentType, ...rest } = recorded
        yield { ...rest, event: source.codec.decode(recorded) }
      }
    },
    state(aggregate, aggregateId, until = {}) {
      const definition = definitionOf(aggregate)
      return loadAggregateAsOf(source, definition, toStreamId(definition.category, aggregateId), rangeOf(until))
    },
  }
}
