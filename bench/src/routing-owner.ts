// The other instance of the routing figures, a process of its own: it owns its share of the partitions, and echoes for the reference.
import { createApplication } from '@narrative/core'
import { kafkaEventStore } from '@narrative/kafka-eventstore'
import { Order } from './orders/order.js'
import { type RoundTripTopics, startEcho } from './peers/raw-round-trip.js'
import { benchLogger } from './services.js'

const { brokers, context, echo } = JSON.parse(process.argv[2]!) as RoutingOwnerOptions
process.on('disconnect', () => process.exit()) // the bench is over

/** What it is started with, as JSON. */
export interface RoutingOwnerOptions {
  readonly brokers: string[]
  readonly context: string
  readonly echo: RoundTripTopics
}

await createApplication({
  aggregates: [Order],
  eventStore: kafkaEventStore({ brokers, context }),
  logger: benchLogger,
})
await startEcho(brokers, echo)
process.send?.('ready')
