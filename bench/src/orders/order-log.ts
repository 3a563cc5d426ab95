// Fills an events topic for the replays: many orders, their events interleaved, as history is.
import { randomUUID } from 'node:crypto'
import { createEventCodec, readAggregate, systemClock } from '@narrative/core'
import { kafkaEventStore } from '@narrative/kafka-eventstore'
import { benchLogger } from '../services.js'
import { LineAdded, Order } from './order.js'
import { addLine, orderIdOf } from './order-load.js'

/** Orders in the log. */
export const orderCount = 50_000
const writers = 2_000

/** What was written, by partition. */
export interface OrderLog {
  readonly context: string
  readonly topic: string
  readonly events: number
  readonly byPartition: readonly (readonly LineAdded[])[]
}

/** Appends so many events, the orders in turn. */
export async function writeOrderLog(brokers: string[], context: string, events: number): Promise<OrderLog> {
  const codec = createEventCodec(readAggregate(Order).definition.events)
  const storage = await kafkaEventStore({ brokers, context, partitions: 4 }).open({
    categories: ['order'],
    clock: systemClock,
    logger: benchLogger,
  })
  try {
    const ids = Array.from({ length: orderCount }, (_, number) => orderIdOf(number))
    let next = 0
    const one = async () => {
      while (next < events) {
        const number = next++
        const orderId = ids[number % orderCount]!
        const { productId, quantity, unitPrice, note } = addLine(orderId)
        const event = new LineAdded(orderId, productId, quantity, unitPrice + (number % 100), note)
        const commandId = randomUUID()
        const metadata = { commandId, correlationId: commandId, causationId: commandId }
        await storage.eventStore.append(`order-${orderId}`, [codec.encode(event)], { expectedVersion: 'any', metadata })
      }
    }
    await Promise.all(Array.from({ length: writers }, one))

    const partitions = await storage.eventLog.partitions('order')
    const byPartition: LineAdded[][] = partitions.map(() => [])
    let read = 0
    for await (const batch of storage.eventLog.subscribe({ categories: ['order'], from: 'start' })) {
      for (const recorded of batch.events) byPartition[batch.partition]!.push(codec.decode(recorded) as LineAdded)
      read += batch.events.length
      if (read >= events) break
    }
    return { context, topic: partitions[0]!.topic, events, byPartition }
  } finally {
    await storage.close()
  }
}

/** A replay that lost or doubled events is no figure. */
export function expectAll(log: OrderLog, lines: number): void {
  if (lines !== log.events) throw new Error(`${log.events} events were replayed, but the read model holds ${lines}`)
}
