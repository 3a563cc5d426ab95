// The composition root: the one place that knows where events and views are kept.
import {
  type Application,
  createApplication,
  type EventStorage,
  inMemoryEventStore,
  type Logger,
} from '@narrative/core'
import { kafkaEventStore } from '@narrative/kafka-eventstore'
import { memoryReadModels, postgresReadModels, projections, type ReadModels } from '@narrative/projections'
import { Order } from './orders/order.js'
import { OrderQueries } from './orders-view/order-queries.js'
import { OrdersView } from './orders-view/orders-view.js'
import type { Backing } from './settings.js'

/** First part of the topic names: orders are kept in `shop.order.events`. */
const context = 'shop'

export const aggregates = [Order]
export const views = [OrdersView]

/** The application, started: commands, queries and the view at work. */
export function createOrderApplication(backing: Backing, logger?: Logger): Promise<Application> {
  return createApplication({
    aggregates,
    queryHandlers: [OrderQueries],
    parts: [projections(views, { store: readModelsOf(backing) })],
    eventStore: eventStoreOf(backing),
    logger,
  })
}

export function eventStoreOf(backing: Backing): EventStorage {
  if (backing.kind === 'embedded') return inMemoryEventStore({ context })
  return kafkaEventStore({ brokers: backing.brokers, context, clientId: 'order-service' })
}

export function readModelsOf(backing: Backing): ReadModels {
  return backing.kind === 'embedded' ? memoryReadModels() : postgresReadModels({ url: backing.databaseUrl })
}
