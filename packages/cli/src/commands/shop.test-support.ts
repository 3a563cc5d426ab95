// The project under fixtures/shop, with three events in a directory.
import { createApplication } from '@narrative/core'
import { kafkaEventStore } from '@narrative/kafka-eventstore'
import { embeddedEventStore } from '@narrative/local-store'
import { memoryReadModels } from '@narrative/projections'
import { ContainerModule } from 'inversify'
import { CancelOrder, Order, PlaceOrder } from '../../fixtures/shop/order.js'
import { OrdersView } from '../../fixtures/shop/orders-view.js'
import type { Config } from '../configuration/define-config.js'

const rest = {
  aggregates: [Order],
  projections: [OrdersView],
  readModels: memoryReadModels(),
  modules: [new ContainerModule(({ bind }) => void bind('vat').toConstantValue(1))],
}

/** The shop in a directory. */
export function shopIn(directory: string): Config {
  return { ...rest, eventStore: embeddedEventStore({ directory, context: 'shop' }) }
}

/** The shop on Kafka. */
export function shopOn(brokers: readonly string[], context = 'shop'): Config {
  return { ...rest, eventStore: kafkaEventStore({ brokers, context }) }
}

/** Order 1 is placed at noon and cancelled at two; order 2 is placed at one. */
export async function fillShop(directory: string): Promise<void> {
  let now = Date.parse('2026-11-21T12:00:00Z')
  const { aggregates, eventStore } = shopIn(directory)
  const app = await createApplication({ aggregates, eventStore, clock: { now: () => now } })
  for (const command of [
    new PlaceOrder({ orderId: '1', total: 10 }),
    new PlaceOrder({ orderId: '2', total: 20 }),
    new CancelOrder({ orderId: '1' }),
  ]) {
    await app.commands.execute(command)
    now += 3_600_000
  }
  await app.stop()
}
