// The reference of appends: kafkajs as a careful user would write it, with no event store around it.
import { Kafka, logLevel, Partitioners, type Producer } from 'kafkajs'

const acks = -1

export function kafkaClient(brokers: string[]): Kafka {
  return new Kafka({ clientId: 'narrative-bench', brokers, logLevel: logLevel.NOTHING })
}

/** Creates the topic a reference writes to, with the same number of partitions as ours. */
export async function createTopic(brokers: string[], topic: string, partitions: number): Promise<void> {
  const admin = kafkaClient(brokers).admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic, numPartitions: partitions }] })
  await admin.disconnect()
}

/** One message per send, idempotent, acks=all; a send after the other, as idempotence asks for. */
export async function idempotentSender(brokers: string[]): Promise<Producer> {
  const producer = kafkaClient(brokers).producer({
    idempotent: true,
    maxInFlightRequests: 1,
    createPartitioner: Partitioners.DefaultPartitioner,
  })
  await producer.connect()
  return producer
}

/** Sends of many messages over all partitions, acks=all, several of them under way. */
export async function bulkSender(brokers: string[]): Promise<Producer> {
  const producer = kafkaClient(brokers).producer({ createPartitioner: Partitioners.DefaultPartitioner })
  await producer.connect()
  return producer
}

export async function sendOne(producer: Producer, topic: string, key: string, value: Buffer): Promise<void> {
  await producer.send({ topic, acks, messages: [{ key, value }] })
}

/**
 * Messages per second in sends of 1,000, with so many sends under way.
 * @param keys the key of each message in turn
 */
export async function produceInBulk(
  producer: Producer,
  options: { topic: string; keys: readonly string[]; value: Buffer; seconds: number; inFlight: number },
): Promise<number> {
  const { topic, keys, value, seconds, inFlight } = options
  const size = 1000
  let sent = 0
  let at = 0
  const start = performance.now()
  const end = start + seconds * 1000
  const one = async () => {
    while (performance.now() < end) {
      const messages = Array.from({ length: size }, () => ({ key: keys[at++ % keys.length]!, value }))
      await producer.send({ topic, acks, messages })
      sent += size
    }
  }
  await Promise.all(Array.from({ length: inFlight }, one))
  return sent / ((performance.now() - start) / 1000)
}
