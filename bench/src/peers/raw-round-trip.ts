// The reference of routing: a request over one topic and its answer over another, by kafkajs alone, nothing done between.
import { randomUUID } from 'node:crypto'
import { Partitioners } from 'kafkajs'
import { kafkaClient } from './raw-producer.js'

/** Where requests go, and where answers come from. */
export interface RoundTripTopics {
  readonly requests: string
  readonly replies: string
}

const eager = { maxWaitTimeInMs: 100, minBytes: 1 }

/** Answers each request with its own value, a whole fetch at a time. */
export async function startEcho(brokers: string[], { requests, replies }: RoundTripTopics): Promise<void> {
  const producer = kafkaClient(brokers).producer({ createPartitioner: Partitioners.DefaultPartitioner })
  const consumer = kafkaClient(brokers).consumer({ groupId: `echo-${requests}`, ...eager })
  await Promise.all([producer.connect(), consumer.connect()])
  await consumer.subscribe({ topic: requests, fromBeginning: true })
  await consumer.run({
    autoCommit: false,
    partitionsConsumedConcurrently: 4,
    eachBatch: async ({ batch }) => {
      const messages = batch.messages.map(({ key, value }) => ({ key, value, partition: 0 }))
      await producer.send({ topic: replies, messages })
    },
  })
}

/** Sends a request and resolves with its answer. */
export interface Asker {
  ask(value: Buffer): Promise<void>
  close(): Promise<void>
}

export async function startAsker(brokers: string[], { requests, replies }: RoundTripTopics): Promise<Asker> {
  const waiting = new Map<string, () => void>()
  const producer = kafkaClient(brokers).producer({ createPartitioner: Partitioners.DefaultPartitioner })
  const consumer = kafkaClient(brokers).consumer({ groupId: `asker-${requests}`, ...eager })
  await Promise.all([producer.connect(), consumer.connect()])
  await consumer.subscribe({ topic: replies, fromBeginning: true })
  await consumer.run({
    autoCommit: false,
    eachBatch: async ({ batch }) => {
      for (const { key } of batch.messages) waiting.get(String(key))?.()
    },
  })
  return {
    async ask(value) {
      const key = randomUUID()
      const answered = new Promise<void>((resolve) => waiting.set(key, resolve))
      await producer.send({ topic: requests, messages: [{ key, value }] })
      await answered
      waiting.delete(key)
    },
    async close() {
      await Promise.all([producer.disconnect(), consumer.disconnect()])
    },
  }
}
