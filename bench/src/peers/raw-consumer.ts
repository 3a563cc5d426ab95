// The reference of replays: a kafkajs consumer reading a topic from its beginning by `eachBatch`.
import type { EachBatchPayload } from 'kafkajs'
import { kafkaClient } from './raw-producer.js'

/** What our log reads with when a topic has four partitions. */
const fetchSize = 4 * 1024 * 1024

/** Which part of the topic. */
export interface RawRead {
  readonly brokers: string[]
  readonly topic: string
  /** Ends after so many records. */
  readonly records: number
}

/**
 * Reads a topic once.
 *
 * @param onBatch gets every batch; without it the records are only counted
 * @returns seconds from joining the group, where the fetching begins, to the last record
 */
export async function readTopic(
  { brokers, topic, records }: RawRead,
  onBatch?: (batch: EachBatchPayload['batch']) => void | Promise<void>,
): Promise<number> {
  const consumer = kafkaClient(brokers).consumer({
    groupId: `bench-${process.pid}-${performance.now()}`,
    maxBytesPerPartition: fetchSize,
    maxBytes: 4 * fetchSize,
    maxWaitTimeInMs: 500,
  })
  let start = performance.now()
  consumer.on(consumer.events.GROUP_JOIN, () => {
    start = performance.now()
  })
  try {
    await consumer.connect()
    await consumer.subscribe({ topic, fromBeginning: true })
    let seen = 0
    return await new Promise<number>((resolve, reject) => {
      // kafkajs starts again by itself after a failure that passes.
      consumer.on(consumer.events.CRASH, ({ payload }) => payload.restart || reject(payload.error))
      const run = consumer.run({
        autoCommit: false,
        partitionsConsumedConcurrently: 4,
        async eachBatch({ batch }) {
          await onBatch?.(batch)
          seen += batch.messages.length
          if (seen >= records) resolve((performance.now() - start) / 1000)
        },
      })
      run.catch(reject)
    })
  } finally {
    await consumer.disconnect()
  }
}
