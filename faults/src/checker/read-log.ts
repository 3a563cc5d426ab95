// The log for the checker, read by Java's console consumer.
import { readTopic, type TopicRecord } from '@narrative/testing'
import kafkajs from 'kafkajs'
import type { LogRecord } from './log.js'

/**
 * Everything in a topic, up to where it ends now.
 * @param identify what tells its events apart, where that is not `ce_id`
 */
export async function readLog(
  brokers: readonly string[],
  topic: string,
  identify: (record: TopicRecord) => Pick<LogRecord, 'eventId' | 'decidedUpon'> = byId,
): Promise<LogRecord[]> {
  const records = await readTopic({ brokers, topic, ends: await endsOf(brokers, topic) })
  return records.map((record) => {
    const { partition, offset, key, headers } = record
    return { topic, partition, offset, key, stamp: headers.nv ?? '', ...identify(record) }
  })
}

const byId = ({ headers }: TopicRecord) => ({ eventId: headers.ce_id ?? null })

async function endsOf(brokers: readonly string[], topic: string): Promise<Map<number, number>> {
  const admin = new kafkajs.Kafka({ brokers: [...brokers], logLevel: kafkajs.logLevel.NOTHING }).admin()
  await admin.connect()
  try {
    const offsets = await admin.fetchTopicOffsets(topic)
    return new Map(offsets.map(({ partition, high }) => [partition, Number(high)]))
  } finally {
    await admin.disconnect()
  }
}
