// What the command `narrative` looks at: the service's own event store, aggregates and views.
import { defineConfig } from '@narrative/cli'
import { eventStoreOf, readModelsOf } from './src/application.js'
import { Order } from './src/orders/order.js'
import { OrdersView } from './src/orders-view/orders-view.js'
import { readSettings } from './src/settings.js'

const { backing } = readSettings(process.env)

export default defineConfig({
  eventStore: eventStoreOf(backing),
  aggregates: [Order],
  projections: [OrdersView],
  readModels: readModelsOf(backing),
})
