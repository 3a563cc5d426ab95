// The same application on Kafka and Postgres.
import { createApplication } from '@narrative/core'
import { kafkaEventStore } from '@narrative/kafka-eventstore'
import { postgresReadModels, projections } from '@narrative/projections'
import { Order } from './order.js'
import { OrderQueries, OrdersView } from './orders-view.js'

export const start = (brokers: string[], databaseUrl: string) =>
  createApplication({
    aggregates: [Order],
    queryHandlers: [OrderQueries],
    // #region options
    eventStore: kafkaEventStore({ brokers, context: 'shop' }),
    parts: [projections([OrdersView], { store: postgresReadModels({ url: databaseUrl }) })],
    // #endregion
  })
