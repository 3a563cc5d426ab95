// The composition root: the one place that knows where events and views are kept.
import {
  type Application,
  createApplication,
  type EventStorage,
  inMemoryEventStore,
  type Logger,
} from '@narrative/core'
import { kafkaEventStore } from '@narrative/kafka-eventstore'
import { embeddedEventStore } from '@narrative/local-store'
import {
  memoryReadModels,
  type Projections,
  postgresReadModels,
  projections,
  type ReadModels,
} from '@narrative/projections'
import { Order } from './orders/order.js'
import { OrderQueries } from './orders-view/order-queries.js'
import { OrdersView } from './orders-view/orders-view.js'
import type { Backing } from './settings.js'

/** First part of the topic names: orders are kept in `shop.order.events`. */
const context = 'shop'

/** The application, and its views for those who rebuild them. */
export interface OrderApplication {
  readonly app: Application
  readonly views: Projections
}

/** Starts everything: commands, queries, and the views that follow the log. */
export async function createOrderApplication(backing: Backing, logger?: Logger): Promise<OrderApplication> {
  const views = projections([OrdersView], { store: readModelsOf(backing) })
  const app = await createApplication({
    aggregates: [Order],
    queryHandlers: [OrderQueries],
    parts: [views],
    eventStore: eventStoreOf(backing),
    logger,
  })
  return { app, views }
}

export function eventStoreOf(backing: Backing): EventStorage {
  if (backing.kind === 'embedded') {
    const { directory } = backing
    return directory === undefined ? inMemoryEventStore({ context }) : embeddedEventStore({ directory, context })
  }
  return kafkaEventStore({ brokers: backing.brokers, context, clientId: 'order-service' })
}

export function readModelsOf(backing: Backing): ReadModels {
  return backing.kind === 'embedded' ? memoryReadModels() : postgresReadModels({ url: backing.databaseUrl })
}
