// Looks at brokers and topics as an opening would, without creating, joining or claiming anything.
import { type Finding, isNarrativeError, type StorageContext } from '@narrative/core'
import type { KafkaDriver, TopicDescription } from './driver/kafka-driver.js'
import type { Settings } from './options.js'
import { commandTopicName, partitionsFault, topicFaults, topicName } from './topics.js'

/** What a service would meet that opened these settings for these categories. */
export async function inspectKafka(settings: Settings, context: StorageContext): Promise<readonly Finding[]> {
  const driver = settings.createDriver(context.logger)
  const { brokers } = settings
  try {
    await driver.connect()
    const findings = await Promise.all(
      context.categories.map((category) => inspectCategory(driver, settings.context, category)),
    )
    return [{ state: 'ok', subject: 'Kafka', detail: `answers at ${brokers.join(', ')}` }, ...findings.flat()]
  } catch (error) {
    if (!isNarrativeError(error)) throw error
    return [{ state: 'fault', subject: 'Kafka', detail: error.message }]
  } finally {
    await driver.close()
  }
}

async function inspectCategory(
  driver: KafkaDriver,
  context: string | undefined,
  category: string,
): Promise<readonly Finding[]> {
  const [name, commands] = [topicName(context, category), commandTopicName(context, category)]
  const subject = `topic ${name}`
  const found = await driver.describeTopics([name, commands])
  const topic = found.get(name)
  if (topic === undefined) {
    return [{ state: 'warning', subject, detail: 'does not exist yet; the service creates it at its first start' }]
  }
  const faults = await topicFaults(driver, name, topic)
  const travelling = found.get(commands)
  if (travelling !== undefined && travelling.partitions !== topic.partitions)
    faults.push(partitionsFault(commands, travelling.partitions, topic.partitions))
  if (faults.length > 0) return faults.map((detail) => ({ state: 'fault', subject, detail }))
  return [{ ...replication(topic), subject }]
}

/** Legal, and fine on a developer's machine; in production it is how events are lost. */
function replication({ partitions, replicationFactor, settings }: TopicDescription): Omit<Finding, 'subject'> {
  const what = `${partitions} ${partitions === 1 ? 'partition' : 'partitions'}, replication factor ${replicationFactor}`
  if (replicationFactor < 3) {
    return {
      state: 'warning',
      detail: `${what}: fine for development; in production use 3, or events are lost with a disk`,
    }
  }
  const insync = Number(settings['min.insync.replicas'] ?? 1)
  if (insync < 2) {
    return {
      state: 'warning',
      detail: `${what}, but min.insync.replicas=${insync}: an acknowledged event may be on one broker alone; set it to 2`,
    }
  }
  return { state: 'ok', detail: `${what}, kept for ever` }
}
