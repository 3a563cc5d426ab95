// The EventStore port for who only reads: a stream is picked out of its partition, which is read from the beginning.
//
// Kafka has no lookup by key, and the copy that gives one belongs to the owner. This needs no owner, no group and no disk,
// and is as strong a read as the owner's: the partition's end is asked first, and every acknowledged event is before it.
import {
  type Appended,
  categoryOf,
  type EventStore,
  type Logger,
  NarrativeError,
  type ReadOptions,
  type RecordedEvent,
  type StreamId,
} from '@narrative/core'
import type { KafkaDriver } from './driver/kafka-driver.js'
import { logStart } from './fold.js'
import { LogReader } from './log-reader.js'
import { partitionOf } from './partitioner.js'

/** What to read from. */
export interface ScannedStreamsOptions {
  readonly driver: KafkaDriver
  readonly logger: Logger
  topicOf(category: string): string
  /** Aborts, with the error to throw, when the store is being closed. */
  readonly closing: AbortSignal
}

const maxBytes = 4 * 1024 * 1024
/** Milliseconds between two lines about a long history. */
const quiet = 2_000

export class ScannedStreams implements EventStore {
  readonly #options: ScannedStreamsOptions

  constructor(options: ScannedStreamsOptions) {
    this.#options = options
  }

  async append(streamId: StreamId): Promise<never> {
    throw new NarrativeError('NOT_OWNER', {
      message: `Nothing can be appended to ${streamId} here: this event store was opened for no categories, only to read.`,
      details: { streamId },
    })
  }

  async *read(streamId: StreamId, options: ReadOptions = {}): AsyncGenerator<RecordedEvent, void> {
    const { from = 1, to = Number.POSITIVE_INFINITY, asOf = Number.POSITIVE_INFINITY } = options
    let version = 0
    for await (const event of this.#partitionWith(streamId)) {
      if (event.streamId !== streamId || event.version !== version + 1) continue // no other can count
      version = event.version
      if (version > to || event.time > asOf) return // times never decrease
      if (version >= from) yield event
    }
  }

  async findCommand(streamId: StreamId, commandId: string): Promise<Appended | undefined> {
    let found: Appended | undefined
    for await (const { metadata, version, position } of this.read(streamId)) {
      if (metadata.commandId === commandId) {
        const firstVersion = found?.firstVersion ?? version
        found = { outcome: 'appended', firstVersion, version, position, duplicate: true }
      } else if (found !== undefined) return found
    }
    return found
  }

  /** The events of the partition that a stream lives in, up to its present end. */
  async *#partitionWith(streamId: StreamId): AsyncGenerator<RecordedEvent, void> {
    const { driver, logger, topicOf, closing: signal } = this.#options
    signal.throwIfAborted()
    const topic = topicOf(categoryOf(streamId))
    const count = (await driver.describeTopics([topic])).get(topic)?.partitions ?? 0
    if (count === 0) return
    const partition = partitionOf(Buffer.from(streamId), count)
    const { end } = await driver.offsets(topic, partition)
    const reader = new LogReader({ driver, topic, partition, from: logStart, maxBytes, maxWait: 500, signal })
    let reported = performance.now()
    while (reader.point.offset < end) {
      const { events } = await reader.next()
      yield* events
      if (performance.now() - reported < quiet) continue
      reported = performance.now()
      const { offset } = reader.point
      logger.info({ topic, partition, offset, end }, `${topic}/${partition}: read ${offset} of ${end} records`)
    }
  }
}
