// Describes and creates topics.

import type { ClusterClient } from './cluster-client.js'
import type { TopicDescription, TopicSpecification } from './kafka-driver.js'
import type { TopicMetadata } from './metadata-request.js'
import { endOffset } from './partition-offsets.js'

const unknownTopic = 3
const alreadyExists = 36
const topicResource = 2

/** The topics among `names` that exist, with their effective settings. */
export async function describeTopics(
  client: ClusterClient,
  names: readonly string[],
): Promise<ReadonlyMap<string, TopicDescription>> {
  const what = `Describing the topics ${names.join(', ')}`
  const attempt = async () => {
    const { topics } = await client.view.ask(names)
    const existing = topics.filter(({ code }) => code !== unknownTopic)
    for (const { code } of existing) client.check(code)
    const settings = await readSettings(client, existing)
    return new Map(existing.map((topic) => [topic.name, describe(topic, settings.get(topic.name)!)]))
  }
  return names.length === 0 ? new Map() : client.perform({ what, attempt })
}

/** Creates a topic unless it exists, and waits until the leader of every partition serves it. */
export async function createTopic(client: ClusterClient, topic: TopicSpecification): Promise<void> {
  const what = `Creating the topic ${topic.name}`
  const configEntries = Object.entries(topic.settings).map(([name, value]) => ({ name, value }))
  const { name, partitions: numPartitions, replicationFactor } = topic
  const input = {
    topics: [{ topic: name, numPartitions, replicationFactor, configEntries }],
    timeout: client.settings.requestTimeout,
  }
  const create = async () => {
    const link = await client.control(await client.view.controller())
    const { topicErrors } = await link.control('CreateTopics', input)
    for (const { errorCode, errorMessage } of topicErrors) {
      if (errorCode !== alreadyExists) client.check(errorCode, errorMessage)
    }
  }
  await client.perform({ what, topic: name, attempt: create })
  // A leader is named before it has taken up its partition; until then it answers that it is none.
  const awaitLeaders = async () => {
    const { topics } = await client.view.ask([name])
    for (const { code } of topics) client.check(code)
    const partitions = topics.flatMap((topic) => topic.partitions)
    await Promise.all(partitions.map(({ partition }) => endOffset(client, name, partition)))
  }
  await client.perform({ what, topic: name, attempt: awaitLeaders })
}

/** Settings by topic: defaults and what the topic overrides, as the brokers apply them. */
async function readSettings(
  client: ClusterClient,
  topics: readonly TopicMetadata[],
): Promise<Map<string, Record<string, string>>> {
  const resources = topics.map(({ name }) => ({ type: topicResource, name }))
  const result = new Map<string, Record<string, string>>()
  if (resources.length === 0) return result
  const answer = await client.view.anyBroker(async (address) =>
    (await client.control(address)).control('DescribeConfigs', { resources, includeSynonyms: false }),
  )
  for (const { configEntries, errorCode, errorMessage, resourceName } of answer.resources) {
    client.check(errorCode, errorMessage)
    const settings: Record<string, string> = {}
    for (const { configName, configValue } of configEntries)
      if (configValue !== null) settings[configName] = configValue
    result.set(resourceName, settings)
  }
  return result
}

function describe(topic: TopicMetadata, settings: Record<string, string>): TopicDescription {
  const { name, partitions } = topic
  const replicationFactor = Math.min(...partitions.map(({ replicas }) => replicas.length))
  return { name, partitions: partitions.length, replicationFactor, settings }
}
