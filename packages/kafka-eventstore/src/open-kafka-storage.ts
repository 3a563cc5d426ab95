// The composition: driver, topics, group, owners and log put together, and streams sent to the owner of their partition.
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
import type { KafkaDriver, Membership, TopicDescription } from './driver/kafka-driver.js'
import type { Assignment } from './driver/sticky-assignment.js'
import { KafkaEventLog, storeClosed } from './kafka-event-log.js'
import type { Settings } from './options.js'
import { PartitionOwner, type PartitionStatus } from './partition-owner.js'
import { type CreateOwner, PartitionOwners } from './partition-owners.js'
import { partitionOf } from './partitioner.js'
import { PendingAppend } from './pending-append.js'
import type { Replica } from './replica/replica.js'
import { prepareTopics, topicName } from './topics.js'

/** An open event store on Kafka. */
export interface KafkaStorage extends OpenStorage {
  /** Every partition of its topics, owned or not. `voids` is worth an alert: it counts events in the log that do not count. */
  status(): readonly PartitionStatus[]
}

/** Opens what {@link kafkaEventStore} configured. */
export async function openKafkaStorage(settings: Settings, context: StorageContext): Promise<KafkaStorage> {
  const driver = settings.createDriver(context.logger)
  const topicOf = (category: string) => topicName(settings.context, category)
  let owners: PartitionOwners | undefined
  let membership: Membership | undefined
  try {
    await driver.connect()
    const topics = await prepareTopics(driver, context.categories.map(topicOf), settings)
    const confirm = async () => membership?.confirm()
    owners = new PartitionOwners(topics, createOwners(driver, settings, context, confirm), context.logger)
    membership = await join(driver, topics, owners, settings)
    await owners.started()
    return new OpenKafkaStorage(driver, owners, membership, topicOf, settings, context)
  } catch (error) {
    await owners?.close()
    await membership?.leave()
    await driver.close()
    throw error
  }
}

/** Who appends nothing takes part in nothing. */
async function join(
  driver: KafkaDriver,
  topics: ReadonlyMap<string, TopicDescription>,
  owners: PartitionOwners,
  { group, sessionTimeout }: Settings,
): Promise<Membership | undefined> {
  if (topics.size === 0) return undefined
  const onAssigned = (assignment: Assignment) => owners.assign(assignment)
  return driver.joinGroup({ group, topics: [...topics.values()], sessionTimeout, onAssigned })
}

function createOwners(
  driver: KafkaDriver,
  settings: Settings,
  { clock, logger }: StorageContext,
  confirm: () => Promise<void>,
): CreateOwner {
  const { clientId, startTimeout, renewAfter, queueLimits, maxBatchRecords, replicas } = settings
  return (topic, partition, patient) =>
    new PartitionOwner({
      driver,
      topic: topic.name,
      partition,
      partitions: topic.partitions,
      replica: replicas.create({ driver, topic: topic.name, partition, logger }),
      clientId,
      clock,
      logger,
      queueLimits,
      batchLimits: {
        maxRecords: maxBatchRecords,
        maxBytes: Number(topic.settings['max.message.bytes'] ?? 1_048_588),
      },
      // While somebody waits for the store to open, a failure is theirs to see; later it may pass.
      startTimeout: patient ? Number.POSITIVE_INFINITY : startTimeout,
      renewAfter,
      confirm,
    })
}

class OpenKafkaStorage implements KafkaStorage, EventStore {
  readonly eventStore: EventStore = this
  readonly eventLog: KafkaEventLog
  readonly #driver: KafkaDriver
  readonly #settings: Settings
  readonly #topicOf: (category: string) => string
  readonly #owners: PartitionOwners
  readonly #membership: Membership | undefined
  readonly #closed = new AbortController()
  #closing: Promise<void> | undefined

  constructor(
    driver: KafkaDriver,
    owners: PartitionOwners,
    membership: Membership | undefined,
    topicOf: (category: string) => string,
    settings: Settings,
    { logger }: StorageContext,
  ) {
    this.#driver = driver
    this.#owners = owners
    this.#membership = membership
    this.#settings = settings
    this.#topicOf = topicOf
    this.eventLog = new KafkaEventLog({
      driver,
      logger,
      topicOf,
      ownedPoint: (topic, partition) => owners.get(topic, partition)?.point,
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
    const replica = await this.#replica(streamId)
    // What is appended while somebody reads belongs to the next read.
    const last = Math.min(to, replica.version(streamId))
    for (const event of replica.read(streamId, from, last)) {
      if (event.time > asOf) return // times never decrease
      yield event
    }
  }

  async findCommand(streamId: StreamId, commandId: string) {
    const replica = await this.#replica(streamId)
    return replica.findCommand(streamId, commandId)
  }

  status(): readonly PartitionStatus[] {
    return this.#owners.status()
  }

  health() {
    if (this.#closing !== undefined) return { ready: false, reasons: ['The event store was closed.'] }
    const reasons = this.status().flatMap(({ reason }) => reason ?? [])
    const { group, sessionTimeout } = this.#settings
    const silent = this.#membership?.silentFor ?? 0
    // Three session timeouts: a rebalance may wait for two of them.
    if (silent > 3 * sessionTimeout) {
      reasons.push(`The group ${group} has not answered for ${Math.round(silent / 1000)} s.`)
    }
    return { ready: reasons.length === 0, reasons }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  /** Drain, hand over, leave. */
  async #close(): Promise<void> {
    await this.#owners.close()
    await this.#membership?.leave()
    this.#closed.abort(storeClosed())
    await this.#driver.close()
  }

  /** The replica that answers for a stream, once it is certain to hold everything acknowledged so far. */
  async #replica(streamId: StreamId): Promise<Replica> {
    if (this.#closing !== undefined) throw storeClosed()
    const owner = this.#owner(streamId, Buffer.from(streamId))
    await owner.assertCurrent(this.#membership?.sureUntil ?? 0, this.#settings.appendTimeout)
    return owner.replica
  }

  #owner(streamId: StreamId, key: Uint8Array): PartitionOwner {
    const topic = this.#topicOf(categoryOf(streamId))
    const count = this.#owners.count(topic)
    if (count === undefined || aggregateIdOf(streamId) === '') {
      throw new NarrativeError('STREAM_ID_INVALID', {
        message: `${streamId} is of no category that this event store was opened for; an application names its categories by its aggregates.`,
        details: { streamId },
      })
    }
    const partition = partitionOf(key, count)
    const owner = this.#owners.get(topic, partition)
    if (owner !== undefined) return owner
    throw new NarrativeError('NOT_OWNER', {
      message: `${streamId} lives in ${topic}/${partition}, which this instance does not own.`,
      details: { streamId, topic, partition },
    })
  }
}
