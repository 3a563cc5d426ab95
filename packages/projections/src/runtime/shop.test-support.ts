// A projection of two tables whose rows depend on each other, random histories of it, and the same fold written a second time by hand,
// one event after the other.
import {
  Aggregate,
  AggregateId,
  Command,
  CommandHandler,
  createEventCodec,
  Event,
  EventHandler as Evolve,
  eventTypeOf,
  type Fields,
  type RecordedEvent,
  readAggregate,
  silentLogger,
  systemClock,
} from '@narrative/core'
import fc from 'fast-check'
import { Container } from 'inversify'
import { deleted, EventHandler, Projection, type ProjectionContext, type RowOf, table, where } from '../index.js'

@Event('shop.placed')
export class Placed {
  constructor(
    readonly order: string,
    readonly customer: string,
    readonly total: number,
  ) {}
}
@Event('shop.moved')
export class Moved {
  constructor(
    readonly order: string,
    readonly to: string,
  ) {}
}
@Event('shop.cancelled')
export class Cancelled {
  constructor(readonly order: string) {}
}
@Event('shop.named')
export class Named {
  constructor(
    readonly customer: string,
    readonly name: string,
  ) {}
}
@Event('shop.closed')
export class Closed {
  constructor(readonly customer: string) {}
}
@Event('shop.merged')
export class Merged {
  constructor(
    readonly from: string,
    readonly into: string,
  ) {}
}
@Event('shop.forgotten')
export class Forgotten {
  constructor(readonly customer: string) {}
}

@Command('shop.record')
export class RecordInShop {
  @AggregateId() readonly shop!: string
  readonly events!: readonly object[]
  constructor(fields: Fields<RecordInShop>) {
    Object.assign(this, fields)
  }
}

@Aggregate('shop')
export class Shop {
  @CommandHandler(RecordInShop) record({ events }: RecordInShop) {
    return events
  }
  @Evolve(Placed) placed() {}
  @Evolve(Moved) moved() {}
  @Evolve(Cancelled) cancelled() {}
  @Evolve(Named) named() {}
  @Evolve(Closed) closed() {}
  @Evolve(Merged) merged() {}
  @Evolve(Forgotten) forgotten() {}
}

export const shopOrders = table('shop_orders', {
  key: 'orderId',
  columns: { orderId: 'text', customer: 'text', name: 'text', open: 'boolean', total: 'integer' },
  indexes: ['customer', ['customer', 'open']],
})
export const customers = table('customers', {
  key: 'customer',
  columns: { customer: 'text', name: 'text', orders: 'integer', spent: 'integer' },
})
export type ShopOrder = RowOf<typeof shopOrders>
export type Customer = RowOf<typeof customers>

/** Events that handlers refuse for the time being, by their version. */
export const broken = new Set<number>()

const fresh = (customer: string): Customer => ({ customer, name: '?', orders: 0, spent: 0 })

@Projection('shop', {
  from: [Shop],
  tables: { orders: shopOrders, customers },
  onFailure: { retries: 0 },
})
export class ShopView {
  @EventHandler(Placed, ({ order, customer }) => ({ orders: order, customers: customer }))
  placed(
    { orders, customers: row }: { orders: ShopOrder | undefined; customers: Customer | undefined },
    { order, customer, total }: Placed,
    context: ProjectionContext,
  ) {
    refuseBroken(context)
    if (orders !== undefined) return undefined
    const present = row ?? fresh(customer)
    return {
      orders: { orderId: order, customer, name: present.name, open: true, total },
      customers: { ...present, orders: present.orders + 1, spent: present.spent + total },
    }
  }

  @EventHandler(Moved, ({ order, to }) => ({ orders: order, customers: to }))
  moved(
    { orders, customers: row }: { orders: ShopOrder | undefined; customers: Customer | undefined },
    { to }: Moved,
    context: ProjectionContext,
  ) {
    refuseBroken(context)
    return orders && { orders: { ...orders, customer: to, name: row?.name ?? '?' } }
  }

  @EventHandler(Cancelled, ({ order }) => ({ orders: [order] }))
  cancelled({ orders }: { orders: readonly ShopOrder[] }, _event: Cancelled, context: ProjectionContext) {
    refuseBroken(context)
    return { orders: orders.map((order) => deleted(order)) }
  }

  @EventHandler(Named, ({ customer }) => ({ customers: customer, orders: where({ customer }) }))
  named(
    { orders, customers: row }: { orders: readonly ShopOrder[]; customers: Customer | undefined },
    { customer, name }: Named,
    context: ProjectionContext,
  ) {
    refuseBroken(context)
    return {
      customers: { ...(row ?? fresh(customer)), name, orders: orders.length },
      orders: orders.map((order) => ({ ...order, name })),
    }
  }

  /** What it changes ceases to meet its condition. */
  @EventHandler(Closed, ({ customer }) => ({ orders: where({ open: true, customer }) }))
  closed({ orders }: { orders: readonly ShopOrder[] }, _event: Closed, context: ProjectionContext) {
    refuseBroken(context)
    return { orders: orders.map((order, rank) => ({ ...order, open: false, total: order.total + rank })) }
  }

  /** Two conditions, and a key beside one. */
  @EventHandler(Merged, ({ from, into }) => ({
    orders: [where({ customer: from }), where({ customer: into })],
    customers: [from, into],
  }))
  merged(
    { orders, customers: rows }: { orders: readonly ShopOrder[]; customers: readonly Customer[] },
    { from, into }: Merged,
    context: ProjectionContext,
  ) {
    refuseBroken(context)
    if (from === into) return undefined
    const source = rows.find(({ customer }) => customer === from)
    const target = rows.find(({ customer }) => customer === into) ?? fresh(into)
    return {
      orders: orders.map((order) => ({ ...order, customer: into, name: target.name })),
      customers: [deleted(source), { ...target, orders: orders.length, spent: target.spent + (source?.spent ?? 0) }],
    }
  }

  @EventHandler(Forgotten, ({ customer }) => ({ customers: customer, orders: where({ customer }) }))
  forgotten(
    { orders, customers: row }: { orders: readonly ShopOrder[]; customers: Customer | undefined },
    _event: Forgotten,
    context: ProjectionContext,
  ) {
    refuseBroken(context)
    return { customers: deleted(row), orders: orders.map((order) => deleted(order)) }
  }
}

function refuseBroken({ version }: ProjectionContext): void {
  if (broken.has(version)) throw new Error(`The event ${version} is broken.`)
}

/** The rows there must be. */
export function shopAfter(history: readonly object[]): { orders: ShopOrder[]; customers: Customer[] } {
  const orders = new Map<string, ShopOrder>()
  const people = new Map<string, Customer>()
  const of = (customer: string) => [...orders.values()].filter((order) => order.customer === customer)
  for (const event of history) {
    if (event instanceof Placed && !orders.has(event.order)) {
      const { order: orderId, customer, total } = event
      const { name, orders: count, spent } = people.get(customer) ?? fresh(customer)
      orders.set(orderId, { orderId, customer, name, open: true, total })
      people.set(customer, { customer, name, orders: count + 1, spent: spent + total })
    } else if (event instanceof Moved && orders.has(event.order)) {
      const name = people.get(event.to)?.name ?? '?'
      orders.set(event.order, { ...orders.get(event.order)!, customer: event.to, name })
    } else if (event instanceof Cancelled) {
      orders.delete(event.order)
    } else if (event instanceof Named) {
      const { customer, name } = event
      const affected = of(customer)
      people.set(customer, { ...(people.get(customer) ?? fresh(customer)), name, orders: affected.length })
      for (const order of affected) orders.set(order.orderId, { ...order, name })
    } else if (event instanceof Closed) {
      const open = of(event.customer).filter((order) => order.open)
      open.sort((a, b) => (a.orderId < b.orderId ? -1 : 1))
      for (const [rank, order] of open.entries())
        orders.set(order.orderId, { ...order, open: false, total: order.total + rank })
    } else if (event instanceof Merged && event.from !== event.into) {
      const target = people.get(event.into) ?? fresh(event.into)
      const affected = [...of(event.from), ...of(event.into)]
      for (const order of affected) orders.set(order.orderId, { ...order, customer: event.into, name: target.name })
      const spent = target.spent + (people.get(event.from)?.spent ?? 0)
      people.set(event.into, { ...target, orders: affected.length, spent })
      people.delete(event.from)
    } else if (event instanceof Forgotten) {
      for (const order of of(event.customer)) orders.delete(order.orderId)
      people.delete(event.customer)
    }
  }
  const byKey = <T>(key: (row: T) => string, rows: Map<string, T>) =>
    [...rows.values()].sort((a, b) => (key(a) < key(b) ? -1 : 1))
  return { orders: byKey((row) => row.orderId, orders), customers: byKey((row) => row.customer, people) }
}

const order = fc.nat(5).map((n) => `o${n}`)
const customer = fc.nat(3).map((n) => `c${n}`)
const event: fc.Arbitrary<object> = fc.oneof(
  { weight: 5, arbitrary: fc.tuple(order, customer, fc.nat(9)).map((given) => new Placed(...given)) },
  { weight: 3, arbitrary: fc.tuple(order, customer).map((given) => new Moved(...given)) },
  { weight: 1, arbitrary: order.map((given) => new Cancelled(given)) },
  {
    weight: 3,
    arbitrary: fc.tuple(customer, fc.constantFrom('Ada', 'Bob', '"\\{}')).map((given) => new Named(...given)),
  },
  { weight: 2, arbitrary: customer.map((given) => new Closed(given)) },
  { weight: 1, arbitrary: fc.tuple(customer, customer).map((given) => new Merged(...given)) },
  { weight: 1, arbitrary: customer.map((given) => new Forgotten(given)) },
)
export const shopHistories = fc.array(event, { maxLength: 60, size: 'max' })

const { definition } = readAggregate(Shop)
const codec = createEventCodec(
  [Placed, Moved, Cancelled, Named, Closed, Merged, Forgotten].map((type) => eventTypeOf(type as typeof Placed)!),
)

export const shopContext = () => ({
  aggregates: [definition],
  definitionOf: (aggregate: object) => (aggregate === Shop ? definition : undefined),
  codec,
  container: new Container(),
  clock: systemClock,
  logger: silentLogger,
})

/** As they stand in the log: one stream, one partition. */
export function recordsOf(history: readonly object[]): RecordedEvent[] {
  return history.map((happened, offset) => ({
    ...codec.encode(happened),
    ...{ streamId: 'shop-1', version: offset + 1, time: offset },
    position: { topic: 'test.shop.events', partition: 0, offset },
    metadata: { commandId: 'c', correlationId: 'c', causationId: 'c' },
  }))
}
