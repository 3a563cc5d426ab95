// Fills an events topic for the figures of the replica: so many streams of so many events, every stream in turn.
import { randomUUID } from 'node:crypto'
import { createEventCodec, readAggregate, systemClock } from '@narrative/core'
import { kafkaEventStore } from '@narrative/kafka-eventstore'
import { benchLogger } from '../services.js'
import { LineAdded, Order } from './order.js'
import { addLine } from './order-load.js'

/** What is to be written. */
export interface OrderHistory {
  readonly streams: readonly string[]
  readonly eventsPerStream: number
  /** Events of one append: the streams' turns are that long. */
  readonly eventsPerAppend: number
}

const writers = 1_000

/** Appends a history in the worst order for a lookup by key: each stream is far from where it was last. */
export async function writeHistory(brokers: string[], context: string, history: OrderHistory): Promise<void> {
  const { streams, eventsPerStream, eventsPerAppend } = history
  const codec = createEventCodec(readAggregate(Order).definition.events)
  const storage = await kafkaEventStore({ brokers, context, partitions: 4 }).open({
    categories: ['order'],
    clock: systemClock,
    logger: benchLogger,
  })
  const appends = (streams.length * eventsPerStream) / eventsPerAppend
  let next = 0
  const one = async () => {
    while (next < appends) {
      const orderId = streams[next++ % streams.length]!
      const { productId, quantity, unitPrice, note } = addLine(orderId)
      const events = Array.from({ length: eventsPerAppend }, () =>
        codec.encode(new LineAdded(orderId, productId, quantity, unitPrice, note)),
      )
      const commandId = randomUUID()
      const metadata = { commandId, correlationId: commandId, causationId: commandId }
      await storage.eventStore.append(`order-${orderId}`, events, { expectedVersion: 'any', metadata })
    }
  }
  try {
    await Promise.all(Array.from({ length: writers }, one))
  } finally {
    await storage.close()
  }
}
