// Fills an events topic for the replays: many orders, their events interleaved, as history is.
import { randomUUID } from 'node:crypto'
import { createEventCodec, readAggregate, systemClock } from '@narrative/core'
import { kafkaEventStore } from '@narrative/kafka-eventstore'
import { benchLogger } from '../services.js'
import { LineAdded, Order } from './order.js'
import { addLine, orderIdOf } from './order-load.js'

const writers = 2_000

/** How much to write. */
export interface OrderLogSize {
  readonly events: number
  /** The events go to so many orders in turn. */
  readonly orders: number
}

/** What was written, by partition. */
export interface OrderLog {
  readonly context: string
  readonly topic: string
  readonly events: number
  readonly orders: number
  readonly byPartition: readonly (readonly LineAdded[])[]
}

/** Appends so many events, the orders in turn. */
export async function writeOrderLog(
  brokers: string[],
  context: string,
  { events, orders }: OrderLogSize,
): Promise<OrderLog> {
  const codec = createEventCodec(readAggregate(Order).definition.events)
  const storage = await kafkaEventStore({ brokers, context, partitions: 4 }).open({
    categories: ['order'],
    clock: systemClock,
    logger: benchLogger,
  })
  try {
    const ids = Array.from({ length: orders }, (_, number) => orderIdOf(number))
    let next = 0
    const one = async () => {
      while (next < events) {
        const number = next++
        const orderId = ids[number % orders]!
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
    const known = new Map(ids.map((id) => [id, id]))
    const { productId, note } = addLine(ids[0]!)
    let read = 0
    for await (const batch of storage.eventLog.subscribe({ categories: ['order'], from: 'start' })) {
      for (const recorded of batch.events) {
        const { orderId, quantity, unitPrice } = codec.decode(recorded) as LineAdded
        // Their texts are shared: a heap that is full of history would slow down both sides.
        byPartition[batch.partition]!.push(new LineAdded(known.get(orderId)!, productId, quantity, unitPrice, note))
      }
      read += batch.events.length
      if (read >= events) break
    }
    return { context, topic: partitions[0]!.topic, events, orders, byPartition }
  } finally {
    await storage.close()
  }
}

/** A replay that lost or doubled events is no figure. */
export function expectAll(log: OrderLog, lines: number): void {
  if (lines !== log.events) throw new Error(`${log.events} events were replayed, but the read model holds ${lines}`)
}
