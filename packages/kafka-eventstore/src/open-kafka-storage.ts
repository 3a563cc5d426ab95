// The composition: driver, topics, group, owners, router and log put together.
import type { StorageContext } from '@narrative/core'
import type { KafkaDriver, Membership } from './driver/kafka-driver.js'
import type { Assignment } from './driver/sticky-assignment.js'
import { KafkaEventLog } from './kafka-event-log.js'
import { KafkaStorage } from './kafka-storage.js'
import type { Settings } from './options.js'
import { OwnedSnapshots } from './owned-snapshots.js'
import { OwnedStreams } from './owned-streams.js'
import { PartitionFollower } from './partition-follower.js'
import { type OwnerOptions, PartitionOwner } from './partition-owner.js'
import { PartitionOwners } from './partition-owners.js'
import type { Roles } from './partition-seat.js'
import { KafkaCommandRouter } from './routing/kafka-command-router.js'
import { ScannedStreams } from './scanned-streams.js'
import { type CategoryTopics, StreamPlaces } from './stream-places.js'
import { commandTopicName, preparePassingTopics, prepareTopics, replyTopicName, topicName } from './topics.js'

interface Foundation {
  readonly settings: Settings
  readonly context: StorageContext
  readonly driver: KafkaDriver
}

/** What an instance that takes part in the work has, and one that only reads has not. */
interface Work {
  readonly places: StreamPlaces
  readonly owners: PartitionOwners
  readonly router: KafkaCommandRouter
  readonly membership: Membership
}

/** Opens what {@link kafkaEventStore} configured. */
export async function openKafkaStorage(settings: Settings, context: StorageContext): Promise<KafkaStorage> {
  const driver = settings.createDriver(context.logger)
  const foundation = { settings, context, driver }
  try {
    await driver.connect()
    const topics = await eventsTopics(foundation)
    // Who appends nothing takes part in nothing.
    return storageOf(foundation, topics.length === 0 ? undefined : await joinWork(foundation, topics))
  } catch (error) {
    await driver.close()
    throw error
  }
}

async function eventsTopics({ driver, settings, context }: Foundation): Promise<CategoryTopics[]> {
  const nameOf = (category: string) => topicName(settings.context, category)
  const categories = [...new Set(context.categories)]
  const found = await prepareTopics(driver, categories.map(nameOf), settings)
  return categories.map((category) => ({
    category,
    events: found.get(nameOf(category))!,
    commands: commandTopicName(settings.context, category),
  }))
}

/** Joins the group of the service's instances; resolves when everything that it assigns is served. */
async function joinWork(foundation: Foundation, topics: readonly CategoryTopics[]): Promise<Work> {
  const { settings, context, driver } = foundation
  const shared = topics.map(({ commands, events }) => ({ name: commands, partitions: events.partitions }))
  const places = new StreamPlaces(topics)
  // The membership is there only when the first assignment already is.
  let joined!: (membership: Membership) => void
  const membership = new Promise<Membership>((resolve) => {
    joined = resolve
  })
  let member: Membership | undefined
  const group = { sureUntil: () => member?.sureUntil ?? 0, confirm: async () => (await membership).confirm() }
  const roles = rolesWith(foundation, group, takeRequests)
  const events = topics.map((each) => each.events)
  const owners = new PartitionOwners(events, roles, context.logger)
  const router = await openRouter(foundation, shared, places, owners)
  async function takeRequests(owner: PartitionOwner): Promise<void> {
    const { commands } = topics.find(({ events }) => events.name === owner.topic)!
    await owner.started.catch(() => {}) // one that could not start has said so
    if (!owner.ended.aborted) await router.consume(commands, owner.partition, await membership, owner.ended)
  }
  try {
    member = await driver.joinGroup({
      group: settings.group,
      topics: shared,
      instanceId: settings.instanceId,
      sessionTimeout: settings.sessionTimeout,
      standbys: settings.standbys,
      unfit: () => owners.unfit(),
      // The group shares the command topics; what is owned and followed are the events.
      warm() {
        const warm = owners.warm()
        return Object.fromEntries(topics.map(({ events, commands }) => [commands, warm[events.name] ?? []]))
      },
      onAssigned(assignment, generation, followed = {}) {
        const ofEvents = (shares: Assignment) =>
          Object.fromEntries(topics.map(({ events, commands }) => [events.name, shares[commands] ?? []]))
        owners.assign(ofEvents(assignment), generation, ofEvents(followed))
      },
    })
    joined(member)
    await owners.started()
    return { places, owners, router, membership: member }
  } catch (error) {
    await owners.close()
    await router.close()
    await member?.leave()
    throw error
  }
}

async function openRouter(
  { settings, context, driver }: Foundation,
  commandTopics: readonly { readonly name: string; readonly partitions: number }[],
  places: StreamPlaces,
  owners: PartitionOwners,
): Promise<KafkaCommandRouter> {
  const { clock, logger } = context
  const replyTopic = replyTopicName(settings.context)
  const wanted = new Map(commandTopics.map(({ name, partitions }) => [name, partitions]))
  const replyPartitions = await preparePassingTopics(driver, wanted, [replyTopic, settings.partitions], settings)
  return new KafkaCommandRouter({
    ...{ driver, clock, logger, replyTopic, replyPartitions, queueLimits: settings.queueLimits },
    placeOf(streamId) {
      const { commandTopic, partition } = places.of(streamId)
      return { topic: commandTopic, partition }
    },
    ownedHere(streamId) {
      const { topic, partition } = places.of(streamId)
      return owners.get(topic, partition) !== undefined
    },
  })
}

function rolesWith(
  { settings, context, driver }: Foundation,
  group: Pick<OwnerOptions, 'sureUntil' | 'confirm'>,
  takeRequests: (owner: PartitionOwner) => Promise<void>,
): Roles {
  const { clock, logger } = context
  const { clientId, startTimeout, renewAfter, queueLimits, maxBatchRecords, replicas } = settings
  return {
    replica: (topic, partition, onFailure) =>
      replicas.create({ driver, topic: topic.name, partition, logger, onFailure }),
    follower: ({ topic, ...beginning }) => new PartitionFollower({ ...beginning, driver, topic: topic.name, logger }),
    owner({ topic, ...beginning }, patient) {
      const owner = new PartitionOwner({
        ...beginning,
        ...group,
        driver,
        topic: topic.name,
        partitions: topic.partitions,
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
      })
      void takeRequests(owner)
      return owner
    },
  }
}

function storageOf({ settings, context, driver }: Foundation, work?: Work): KafkaStorage {
  const { logger } = context
  const { appendTimeout, sessionTimeout } = settings
  const [closing, closed] = [new AbortController(), new AbortController()]
  const topicOf = (category: string) => topicName(settings.context, category)
  const eventStore =
    work === undefined
      ? new ScannedStreams({ driver, logger, topicOf, closing: closing.signal })
      : new OwnedStreams({
          ...work,
          sureUntil: () => work.membership.sureUntil,
          appendTimeout,
          closing: closing.signal,
        })
  const eventLog = new KafkaEventLog({
    driver,
    logger,
    sessionTimeout,
    topicOf,
    ownedPoint: (topic, partition) => work?.owners.get(topic, partition)?.point,
    closed: closed.signal,
  })
  const snapshots = work && new OwnedSnapshots(work.places, work.owners)
  return new KafkaStorage({ settings, driver, eventStore, eventLog, snapshots, closing, closed, ...work })
}
