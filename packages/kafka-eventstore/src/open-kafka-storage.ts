// The composition: driver, topics, owners and log put together, and streams sent to the owner of their partition.
import {
  type AppendOptions,
  type AppendResult,
  aggregateIdOf,
  categoryOf,
  type EventStore,
  NarrativeError,
  type NewEvent,
  type OpenStorage,
  type ReadOptions,
  type RecordedEvent,
  type StorageContext,
  type StreamId,
} from '@narrative/core'
import type { KafkaDriver, TopicDescription } from './driver/kafka-driver.js'
import { KafkaEventLog, storeClosed } from './kafka-event-log.js'
import type { Settings } from './options.js'
import { PartitionOwner, type PartitionStatus } from './partition-owner.js'
import { partitionOf } from './partitioner.js'
import { PendingAppend } from './pending-append.js'
import { MemoryReplica } from './replica/memory-replica.js'
import type { Replica } from './replica/replica.js'
import { prepareTopics, topicName } from './topics.js'

/** An open event store on Kafka. */
export interface KafkaStorage extends OpenStorage {
  /** Every owned partition. `voids` is worth an alert: it counts events in the log that do not count. */
  status(): readonly PartitionStatus[]
}

/** Opens what {@link kafkaEventStore} configured. */
export async function openKafkaStorage(settings: Settings, context: StorageContext): Promise<KafkaStorage> {
  const driver = settings.createDriver(context.logger)
  const topicOf = (category: string) => topicName(settings.context, category)
  let owners: readonly PartitionOwner[] = []
  try {
    await driver.connect()
    const names = context.categories.map(topicOf)
    const topics = await prepareTopics(driver, names, settings)
    owners = [...topics.values()].flatMap((topic) => ownersOf(topic, driver, settings, context))
    await Promise.all(owners.map((owner) => owner.started))
  } catch (error) {
    await Promise.all(owners.map((owner) => owner.close()))
    await driver.close()
    throw error
  }
  return new OpenKafkaStorage(driver, owners, topicOf, settings, context)
}

function ownersOf(topic: TopicDescription, driver: KafkaDriver, settings: Settings, context: StorageContext) {
  const { clientId, owned, startTimeout, renewAfter, queueLimits, maxBatchRecords } = settings
  const { clock, logger } = context
  const maxBytes = Number(topic.settings['max.message.bytes'] ?? 1_048_588)
  return owned(topic.name, topic.partitions).map((partition) => {
    return new PartitionOwner({
      driver,
      topic: topic.name,
      partition,
      partitions: topic.partitions,
      replica: new MemoryReplica(topic.name, partition),
      clientId,
      clock,
      logger,
      queueLimits,
      batchLimits: { maxRecords: maxBatchRecords, maxBytes },
      startTimeout,
      renewAfter,
    })
  })
}

class OpenKafkaStorage implements KafkaStorage, EventStore {
  readonly eventStore: EventStore = this
  readonly eventLog: KafkaEventLog
  readonly #driver: KafkaDriver
  readonly #settings: Settings
  readonly #topicOf: (category: string) => string
  readonly #owners = new Map<string, PartitionOwner[]>()
  /** Partitions per topic. */
  readonly #counts = new Map<string, number>()
  readonly #closed = new AbortController()
  #closing: Promise<void> | undefined

  constructor(
    driver: KafkaDriver,
    owners: readonly PartitionOwner[],
    topicOf: (category: string) => string,
    settings: Settings,
    { logger }: StorageContext,
  ) {
    this.#driver = driver
    this.#settings = settings
    this.#topicOf = topicOf
    for (const owner of owners) {
      const { topic, partition, partitions } = owner
      const row = this.#owners.get(topic) ?? []
      row[partition] = owner
      this.#owners.set(topic, row)
      this.#counts.set(topic, partitions)
    }
    this.eventLog = new KafkaEventLog({
      driver,
      logger,
      topicOf,
      ownedPoint: (topic, partition) => this.#owners.get(topic)?.[partition]?.point,
      closed: this.#closed.signal,
    })
  }

  async append(streamId: StreamId, events: readonly NewEvent[], options: AppendOptions): Promise<AppendResult> {
    if (this.#closing !== undefined) throw storeClosed()
    if (events.length === 0) throw new RangeError(`An append to ${streamId} needs at least one event.`)
    const key = Buffer.from(streamId)
    const owner = this.#owner(streamId, key)
    return owner.append(new PendingAppend(streamId, key, events, options, this.#settings.appendTimeout))
  }

  async *read(streamId: StreamId, options: ReadOptions = {}): AsyncIterable<RecordedEvent> {
    const { from = 1, to = Number.POSITIVE_INFINITY, asOf = Number.POSITIVE_INFINITY } = options
    const replica = this.#replica(streamId)
    // What is appended while somebody reads belongs to the next read.
    const last = Math.min(to, replica.version(streamId))
    for (const event of replica.read(streamId, from, last)) {
      if (event.time > asOf) return // times never decrease
      yield event
    }
  }

  async findCommand(streamId: StreamId, commandId: string) {
    return this.#replica(streamId).findCommand(streamId, commandId)
  }

  status(): readonly PartitionStatus[] {
    return [...this.#owners.values()].flat().map((owner) => owner.status)
  }

  health() {
    if (this.#closing !== undefined) return { ready: false, reasons: ['The event store was closed.'] }
    const reasons = this.status().flatMap(({ reason }) => reason ?? [])
    return { ready: reasons.length === 0, reasons }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#owners.values()].flat().map((owner) => owner.close()))
    this.#closed.abort(storeClosed())
    await this.#driver.close()
  }

  #replica(streamId: StreamId): Replica {
    if (this.#closing !== undefined) throw storeClosed()
    return this.#owner(streamId, Buffer.from(streamId)).replica
  }

  #owner(streamId: StreamId, key: Uint8Array): PartitionOwner {
    const topic = this.#topicOf(categoryOf(streamId))
    const count = this.#counts.get(topic)
    if (count === undefined || aggregateIdOf(streamId) === '') {
      throw new NarrativeError('STREAM_ID_INVALID', {
        message: `${streamId} is of no category that this event store was opened for; an application names its categories by its aggregates.`,
        details: { streamId },
      })
    }
    const partition = partitionOf(key, count)
    const owner = this.#owners.get(topic)?.[partition]
    if (owner !== undefined) return owner
    throw new NarrativeError('NOT_OWNER', {
      message: `${streamId} lives in ${topic}/${partition}, which this instance does not own.`,
      details: { streamId, topic, partition },
    })
  }
}
