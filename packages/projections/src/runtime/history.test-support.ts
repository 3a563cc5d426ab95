// Random histories of orders, as a log that is cut into batches at will; and the pure fold of them, written a second time by hand.
import {
  createEventCodec,
  type EventBatch,
  type EventLog,
  eventTypeOf,
  type LogPartition,
  type RecordedEvent,
  readAggregate,
  silentLogger,
  systemClock,
} from '@narrative/core'
import fc from 'fast-check'
import { Container } from 'inversify'
import {
  Order,
  OrderCancelled,
  OrderErased,
  OrderPlaced,
  OrderRepriced,
  type OrderRow,
  OrderViewed,
} from '../application/orders.test-support.js'

const { definition } = readAggregate(Order)
export const codec = createEventCodec(
  [OrderPlaced, OrderRepriced, OrderCancelled, OrderErased, OrderViewed].map(
    (type) => eventTypeOf(type as typeof OrderPlaced)!,
  ),
)

/** What createApplication tells its parts. */
export const partContext = () => ({
  aggregates: [definition],
  definitionOf: (aggregate: object) => (aggregate === Order ? definition : undefined),
  codec,
  container: new Container(),
  clock: systemClock,
  logger: silentLogger,
})

/** Something that happened to an order. */
export interface Happening {
  readonly order: number
  readonly event: object
}

const event = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .record({ customer: fc.nat(3), total: fc.maxSafeNat() })
      .map((e) => new OrderPlaced('', `c${e.customer}`, [{ productId: 'p', quantity: 1 }], e.total)),
  },
  { weight: 4, arbitrary: fc.nat(3).map((total) => new OrderRepriced(total)) },
  { weight: 2, arbitrary: fc.constantFrom('late', 'wrong', '"\\{}').map((reason) => new OrderCancelled(reason)) },
  { weight: 1, arbitrary: fc.constant(new OrderErased('law')) },
  { weight: 1, arbitrary: fc.constant(new OrderViewed('eve')) },
)

export const histories = fc.array(fc.record({ order: fc.nat(9), event }), { maxLength: 150, size: 'max' })

const partitionCount = 3
const topic = 'test.order.events'

/** A log of what happened; `cut` says how many records the next batch may hold. */
export function logOf(
  history: readonly Happening[],
  cut: () => number,
): EventLog & { readonly ends: readonly LogPartition[] } {
  const records: RecordedEvent[][] = Array.from({ length: partitionCount }, () => [])
  const versions = new Map<number, number>()
  for (const { order, event } of history) {
    const version = (versions.get(order) ?? 0) + 1
    versions.set(order, version)
    const partition = order % partitionCount
    const position = { topic, partition, offset: records[partition]!.length }
    const metadata = { commandId: 'c', correlationId: 'c', causationId: 'c' }
    records[partition]!.push({
      ...codec.encode(event),
      streamId: `order-${order}`,
      version,
      position,
      time: version,
      metadata,
    })
  }
  return logOfRecords(topic, records, cut)
}

/** A log of some records by partition. */
export function logOfRecords(
  topic: string,
  records: readonly (readonly RecordedEvent[])[],
  cut: () => number,
): EventLog & { readonly ends: readonly LogPartition[] } {
  const ends = records.map((all, partition) => ({ topic, partition, start: 0, end: all.length }))
  return {
    ends,
    partitions: async () => ends,
    async *subscribe({ from, signal }) {
      const offsets = records.map(
        (_, p) => (Array.isArray(from) ? from : []).find((c) => c.partition === p)?.offset ?? 0,
      )
      while (!signal?.aborted) {
        const open = offsets.flatMap((offset, p) => (offset < records[p]!.length ? [p] : []))
        if (open.length === 0) {
          await new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve(), { once: true }))
          return
        }
        const partition = open[cut() % open.length]!
        const offset = offsets[partition]!
        const events = records[partition]!.slice(offset, offset + cut())
        offsets[partition] = offset + events.length
        const checkpoint = { topic, partition, offset: offset + events.length, claim: `claim ${partition}` }
        yield { topic, partition, events, checkpoint, end: records[partition]!.length } satisfies EventBatch
      }
    },
  }
}

/** The rows there must be: one event after the other, nothing clever. */
export function rowsOf(history: readonly Happening[]): Map<string, OrderRow> {
  const rows = new Map<string, OrderRow>()
  const versions = new Map<string, number>()
  for (const { order, event } of history) {
    const orderId = String(order)
    const version = (versions.get(orderId) ?? 0) + 1
    versions.set(orderId, version)
    const row = rows.get(orderId)
    if (event instanceof OrderPlaced) {
      const { customerId, lines, total } = event
      rows.set(orderId, { orderId, customerId, status: 'placed', lines, total, version, reason: null })
    } else if (event instanceof OrderErased) {
      rows.delete(orderId)
    } else if (row !== undefined && event instanceof OrderRepriced) {
      rows.set(orderId, { ...row, total: event.total, version })
    } else if (row !== undefined && event instanceof OrderCancelled) {
      rows.set(orderId, { ...row, status: 'cancelled', reason: event.reason, version })
    }
  }
  return rows
}
