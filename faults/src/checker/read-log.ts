// The log for the checker, read by Java's console consumer.
import { readTopic } from '@narrative/testing'
import kafkajs from 'kafkajs'
import type { LogRecord } from './log.js'

/** Everything in a topic, up to where it ends now. */
export async function readLog(brokers: readonly string[], topic: string): Promise<LogRecord[]> {
  const records = await readTopic({ brokers, topic, records: await countRecords(brokers, topic) })
  return records.map(({ partition, offset, key, headers }) => ({
    ...{ topic, partition, offset, key },
    ...{ stamp: headers.nv ?? '', eventId: headers.ce_id ?? null },
  }))
}

async function countRecords(brokers: readonly string[], topic: string): Promise<number> {
  const admin = new kafkajs.Kafka({ brokers: [...brokers], logLevel: kafkajs.logLevel.NOTHING }).admin()
  await admin.connect()
  try {
    const offsets = await admin.fetchTopicOffsets(topic)
    return offsets.reduce((sum, { high, low }) => sum + Number(high) - Number(low), 0)
  } finally {
    await admin.disconnect()
  }
}
