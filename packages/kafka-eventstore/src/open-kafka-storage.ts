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
import type { KafkaDriver, Membership } from './driver/kafka-driver.js'
import { KafkaEventLog } from './kafka-event-log.js'
import type { Settings } from './options.js'
import { storeClosed } from './owner-errors.js'
import { PartitionOwner, type PartitionStatus } from './partition-owner.js'
import { type CreateOwner, PartitionOwners } from './partition-owners.js'
import { partitionOf } from './partitioner.js'
import { PendingAppend } from './pending-append.js'
import type { Replica } from './replica/replica.js'
import { KafkaCommandRouter } from './routing/kafka-command-router.js'
import { commandTopicName, preparePassingTopics, prepareTopics, replyTopicName, topicName } from './topics.js'

/** An open event store on Kafka. */
export interface KafkaStorage extends OpenStorage {
  /** Every partition of its topics, owned or not. `voids` is worth an alert: it counts events in the log that do not count. */
  status(): readonly PartitionStatus[]
}

/** Opens what {@link kafkaEventStore} configured. */
export async function openKafkaStorage(settings: Settings, context: StorageContext): Promise<KafkaStorage> {
  const driver = settings.createDriver(context.logger)
  const parts: Partial<StorageParts> = {}
  try {
    await driver.connect()
    const names = new Map(
      context.categories.map((category) => [
        topicName(settings.context, category),
        commandTopicName(settings.context, category),
      ]),
    )
    const topics = await prepareTopics(driver, [...names.keys()], settings)
    if (topics.size === 0) return new OpenKafkaStorage({ driver, settings, context, owners: nobody(context) })
    const wanted = [...topics.values()].map(({ name, partitions }) => [names.get(name)!, partitions] as const)
    const replies = [replyTopicName(settings.context), settings.partitions] as const
    const shape = await preparePassingTopics(driver, new Map(wanted), replies, settings)

    // The membership is there only when the first assignment already is.
    let joined!: (membership: Membership) => void
    const membership = new Promise<Membership>((resolve) => {
      joined = resolve
    })
    const confirm = async () => (await membership).confirm()
    const createOwner = createOwners(driver, settings, context, confirm)
    const owners = new PartitionOwners(
      topics,
      (topic, partition, patient) => {
        const owner = createOwner(topic, partition, patient)
        void follow(owner, names.get(topic.name)!)
        return owner
      },
      context.logger,
    )
    parts.owners = owners
    const placeOf = (streamId: StreamId) => {
      const topic = topicName(settings.context, categoryOf(streamId))
      return { topic, partition: partitionOf(Buffer.from(streamId), owners.count(topic) ?? 1) }
    }
    const router = new KafkaCommandRouter({
      ...{ driver, clock: context.clock, logger: context.logger, replyTopic: replies[0], replyPartitions: shape },
      placeOf(streamId) {
        const { topic, partition } = placeOf(streamId)
        return { topic: names.get(topic)!, partition }
      },
      ownedHere(streamId) {
        const { topic, partition } = placeOf(streamId)
        // Of a category that nobody here knows, the store says so.
        return owners.count(topic) === undefined || owners.get(topic, partition) !== undefined
      },
    })
    parts.router = router
    async function follow(owner: PartitionOwner, topic: string): Promise<void> {
      await owner.started.catch(() => {}) // one that could not start has said so
      if (!owner.ended.aborted) await router.consume(topic, owner.partition, await membership, owner.ended)
    }
    parts.membership = await driver.joinGroup({
      group: settings.group,
      topics: wanted.map(([name, partitions]) => ({ name, partitions })),
      sessionTimeout: settings.sessionTimeout,
      onAssigned: (assignment, generation) =>
        owners.assign(
          Object.fromEntries([...names].map(([name, commands]) => [name, assignment[commands] ?? []])),
          generation,
        ),
    })
    joined(parts.membership)
    await owners.started()
    return new OpenKafkaStorage({ driver, settings, context, owners, router, membership: parts.membership })
  } catch (error) {
    await parts.owners?.close()
    await parts.router?.close()
    await parts.membership?.leave()
    await driver.close()
    throw error
  }
}

interface StorageParts {
  readonly driver: KafkaDriver
  readonly settings: Settings
  readonly context: StorageContext
  owners: PartitionOwners
  /** None in a process that only reads. */
  router?: KafkaCommandRouter
  membership?: Membership
}

/** Who appends nothing takes part in nothing. */
function nobody({ logger }: StorageContext): PartitionOwners {
  const none = () => {
    throw new RangeError('A store that was opened for no categories owns nothing.')
  }
  return new PartitionOwners(new Map(), none, logger)
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
  readonly router: KafkaCommandRouter | undefined
  #closing: Promise<void> | undefined

  constructor({ driver, settings, context, owners, router, membership }: StorageParts) {
    this.#driver = driver
    this.#owners = owners
    this.#membership = membership
    this.#settings = settings
    this.#topicOf = (category) => topicName(settings.context, category)
    this.router = router
    this.eventLog = new KafkaEventLog({
      driver,
      logger: context.logger,
      topicOf: this.#topicOf,
      ownedPoint: (topic, partition) => owners.get(topic, partition)?.point,
      closed: this.#closed.signal,
    })
  }

  async append(streamId: StreamId, events: readonly NewEvent[], options: AppendOptions): Promise<AppendResult> {
    if (this.#closing !== undefined) throw storeClosed()
    if (events.length === 0) throw new RangeError(`An append to ${streamId} needs at least one event.`)
    const key = Buffer.from(streamId)
    const owner = this.#owner(streamId, key)
    for (;;) {
      const append = new PendingAppend(streamId, key, events, options, this.#settings.appendTimeout)
      const result = await owner.append(append)
      if (result.outcome === 'appended') return result
      // Only the log confirms an append; a conflict is told from the replica, and so only while that is sure to be current.
      await this.#assertCurrent(owner)
      if (owner.replica.version(streamId) === result.actualVersion) return result
    }
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
    await this.router?.close()
    this.#closed.abort(storeClosed())
    await this.#driver.close()
  }

  /** The replica that answers for a stream, once it is certain to hold everything acknowledged so far. */
  async #replica(streamId: StreamId): Promise<Replica> {
    if (this.#closing !== undefined) throw storeClosed()
    const owner = this.#owner(streamId, Buffer.from(streamId))
    await this.#assertCurrent(owner)
    return owner.replica
  }

  #assertCurrent(owner: PartitionOwner): Promise<void> {
    return owner.assertCurrent(this.#membership?.sureUntil ?? 0, this.#settings.appendTimeout)
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
