import { defineConfig } from '@narrative/cli'
import { kafkaEventStore } from '@narrative/kafka-eventstore'
import { postgresReadModels } from '@narrative/projections'
import { Order } from './order.js'
import { OrdersView } from './orders-view.js'

export default defineConfig({
  eventStore: kafkaEventStore({ brokers: ['localhost:9092'], context: 'shop' }),
  aggregates: [Order],
  projections: [OrdersView],
  readModels: postgresReadModels({ url: process.env.DATABASE_URL ?? 'postgres://localhost/shop' }),
})
