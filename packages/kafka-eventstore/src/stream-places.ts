// Where a stream lives: the topics of its category, and the partition that its id hashes to.
import { aggregateIdOf, categoryOf, NarrativeError, type StreamId } from '@narrative/core'
import type { TopicDescription } from './driver/kafka-driver.js'
import { partitionOf } from './partitioner.js'

/** A category's events, and the commands on their way to the owners of its streams: as many partitions in both. */
export interface CategoryTopics {
  readonly category: string
  readonly events: TopicDescription
  readonly commands: string
}

/** A partition of a category, in both of its topics. */
export interface Place {
  readonly topic: string
  readonly commandTopic: string
  readonly partition: number
}

export class StreamPlaces {
  readonly #topics: ReadonlyMap<string, CategoryTopics>

  constructor(topics: readonly CategoryTopics[]) {
    this.#topics = new Map(topics.map((each) => [each.category, each]))
  }

  /**
   * @param key the stream id as bytes, for who has them anyway
   * @throws NarrativeError `STREAM_ID_INVALID` for a category that the store was not opened for
   */
  of(streamId: StreamId, key: Uint8Array = Buffer.from(streamId)): Place {
    const found = this.#topics.get(categoryOf(streamId))
    if (found !== undefined && aggregateIdOf(streamId) !== '') {
      const { events, commands } = found
      return { topic: events.name, commandTopic: commands, partition: partitionOf(key, events.partitions) }
    }
    throw new NarrativeError('STREAM_ID_INVALID', {
      message: `${streamId} is of no category that this event store was opened for; an application names its categories by its aggregates.`,
      details: { streamId },
    })
  }
}
