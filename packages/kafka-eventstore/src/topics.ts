// Events topics: created as they must be, or verified and refused with the reason and the remedy.
import { NarrativeError } from '@narrative/core'
import type { KafkaDriver, TopicDescription } from './driver/kafka-driver.js'
import { logStart } from './fold.js'
import { parseStamp, stampHeader } from './stamp.js'

/** How topics that do not exist yet are made. */
export interface TopicWishes {
  readonly partitions: number
  /** -1 for the broker's default. */
  readonly replicationFactor: number
}

/** `<context>.<category>.events`, without the prefix when there is no context. */
export function topicName(context: string | undefined, category: string): string {
  return context === undefined ? `${category}.events` : `${context}.${category}.events`
}

/** `<context>.<category>.commands`: what travels to the owners of the category's streams. */
export function commandTopicName(context: string | undefined, category: string): string {
  return context === undefined ? `${category}.commands` : `${context}.${category}.commands`
}

/** `<context>.replies`, shared by all instances. */
export function replyTopicName(context: string | undefined): string {
  return context === undefined ? 'replies' : `${context}.replies`
}

/** Messages between instances are of no use after seconds; a day lets people look. */
const passing = { 'cleanup.policy': 'delete', 'retention.ms': '86400000', 'max.message.bytes': '2097152' }

/**
 * Creates the topics by which instances talk, as far as they are missing.
 *
 * @param wanted command topics and their partitions: as many as the events topic has
 * @param replies the reply topic, and its partitions if it is missing
 * @returns the partitions of the reply topic
 * @throws NarrativeError `TOPIC_REFUSED` when one has another count, and the driver's errors
 */
export async function preparePassingTopics(
  driver: KafkaDriver,
  wanted: ReadonlyMap<string, number>,
  replies: readonly [name: string, partitions: number],
  { replicationFactor }: TopicWishes,
): Promise<number> {
  const names = [...wanted.keys()]
  const there = await driver.describeTopics([...names, replies[0]])
  for (const [name, partitions] of [...wanted, replies]) {
    if (!there.has(name)) await driver.createTopic({ name, partitions, replicationFactor, settings: passing })
  }
  const topics = await driver.describeTopics([...names, replies[0]])
  const faults = names.flatMap((name) => {
    const [found, partitions] = [topics.get(name)?.partitions, wanted.get(name)]
    return found === partitions ? [] : [partitionsFault(name, found, partitions)]
  })
  if (faults.length === 0) return topics.get(replies[0])?.partitions ?? replies[1]
  throw new NarrativeError('TOPIC_REFUSED', {
    message: `Kafka topics cannot carry commands as they are:\n${faults.map((fault) => `- ${fault}`).join('\n')}`,
    details: { faults },
  })
}

/** A command topic that its events topic does not go with. */
export function partitionsFault(name: string, found: number | undefined, wanted: number | undefined): string {
  return `${name} has ${found} partitions instead of ${wanted}. It holds nothing of value: stop the service, delete it, and start again`
}

/** What keeps every event for ever, in order, under the time its owner gave it. */
const required: Readonly<Record<string, { readonly value: string; readonly otherwise: string }>> = {
  'cleanup.policy': { value: 'delete', otherwise: 'compaction deletes all but the last event of each stream' },
  'retention.ms': { value: '-1', otherwise: 'events would be deleted after that time' },
  'retention.bytes': { value: '-1', otherwise: 'the oldest events would be deleted beyond that size' },
  'message.timestamp.type': { value: 'CreateTime', otherwise: 'the broker would overwrite the time of the events' },
  'unclean.leader.election.enable': { value: 'false', otherwise: 'acknowledged events could be lost with a leader' },
}

/**
 * Creates the topics that are missing and verifies all of them.
 *
 * @returns the topics as they are
 * @throws NarrativeError `TOPIC_INVALID`, `TOPIC_REFUSED` with every fault of every topic, and the driver's errors
 */
export async function prepareTopics(
  driver: KafkaDriver,
  names: readonly string[],
  wishes: TopicWishes,
): Promise<ReadonlyMap<string, TopicDescription>> {
  for (const name of names) checkName(name)
  const there = await driver.describeTopics(names)
  const missing = names.filter((name) => !there.has(name))
  for (const name of missing) await driver.createTopic({ name, ...wishes, settings: settingsOf(wishes) })
  // Described again: another instance may have been quicker, with other settings.
  const topics = missing.length === 0 ? there : await driver.describeTopics(names)
  const faults = await Promise.all(names.map((name) => topicFaults(driver, name, topics.get(name))))
  const all = faults.flat()
  if (all.length > 0) {
    throw new NarrativeError('TOPIC_REFUSED', {
      message: `Kafka topics cannot hold events as they are:\n${all.map((fault) => `- ${fault}`).join('\n')}`,
      details: { faults: all },
    })
  }
  return topics
}

function settingsOf({ replicationFactor }: TopicWishes): Record<string, string> {
  const settings = Object.fromEntries(Object.entries(required).map(([name, { value }]) => [name, value]))
  return replicationFactor >= 3 ? { ...settings, 'min.insync.replicas': '2' } : settings
}

function checkName(name: string): void {
  if (/^[a-zA-Z0-9._-]{1,249}$/.test(name)) return
  throw new NarrativeError('TOPIC_INVALID', {
    message: `${JSON.stringify(name)} cannot be a Kafka topic: up to 249 letters, digits, dots, hyphens and underscores are allowed. Choose another context.`,
    details: { topic: name },
  })
}

/** Everything about a topic by which events would be lost or reordered, a sentence each. */
export async function topicFaults(
  driver: KafkaDriver,
  name: string,
  topic: TopicDescription | undefined,
): Promise<string[]> {
  if (topic === undefined) return [`${name} does not exist although it was just created; is it being deleted?`]
  const faults: string[] = []
  for (const [setting, { value, otherwise }] of Object.entries(required)) {
    const found = topic.settings[setting]
    if (found === undefined || found === value) continue
    faults.push(
      `${name} has ${setting}=${found}: ${otherwise}. ` +
        `Set it with kafka-configs --alter --entity-type topics --entity-name ${name} --add-config ${setting}=${value}`,
    )
  }
  faults.push(...(await historyFaults(driver, topic)))
  return faults
}

/**
 * What the log itself says: it must begin at offset 0, and with the partition count of today.
 * Every partition's first record is a claim, and every claim records the count under which keys were spread.
 */
async function historyFaults(driver: KafkaDriver, { name, partitions }: TopicDescription): Promise<string[]> {
  const one = async (partition: number): Promise<string | undefined> => {
    const { start, end } = await driver.offsets(name, partition)
    if (start > 0) {
      return `${name} partition ${partition} begins at offset ${start}: the events before it were deleted. Restore the topic from a replica or a backup, or start over under another context`
    }
    if (end === 0) return undefined
    const request = { topic: name, partition, offset: logStart.offset, maxBytes: 16_384, maxWait: 0 }
    const [first] = (await driver.fetch(request)).records
    const stamp = parseStamp(first?.header(stampHeader) ?? '')
    if (stamp === undefined || !('partitions' in stamp)) {
      return `${name} partition ${partition} does not begin with a claim record: something other than Narrative wrote to it. Choose another context, or remove the topic`
    }
    if (stamp.partitions === partitions) return undefined
    return `${name} has ${partitions} partitions but was begun with ${stamp.partitions}: streams would move to other partitions and fall apart. Copy its events into a new topic of ${partitions} partitions, or restore the old count from a backup`
  }
  const found = await Promise.all(Array.from({ length: partitions }, (_, partition) => one(partition)))
  return found.filter((fault) => fault !== undefined)
}
