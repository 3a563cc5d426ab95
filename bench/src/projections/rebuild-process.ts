// A process of its own that rebuilds a table from offset 0 and says what it weighs while it does.
import { createApplication } from '@narrative/core'
import { diskReplica, kafkaEventStore } from '@narrative/kafka-eventstore'
import { postgresReadModels, projections } from '@narrative/projections'
import { Order } from '../orders/order.js'
import { OrdersView } from '../orders/order-views.js'
import { benchLogger } from '../services.js'

/** What it is started with, as JSON. */
export interface RebuildProcessOptions {
  readonly brokers: string[]
  readonly context: string
  /** Of its replica: in memory the whole log would be weighed. */
  readonly directory: string
  readonly url: string
}

/** What it says a few times a second, and last of all with `done`. */
export interface Weight {
  readonly events: number
  /** Megabytes of the process. */
  readonly rss: number
  /** Megabytes in use on the heap; when the process may collect it, right after that. */
  readonly heap: number
  readonly done: boolean
}

const { brokers, context, directory, url } = JSON.parse(process.argv[2]!) as RebuildProcessOptions
process.on('disconnect', () => process.exit()) // the bench is over

const views = projections([OrdersView], { store: postgresReadModels({ url }), follow: false })
const app = await createApplication({
  aggregates: [Order],
  eventStore: kafkaEventStore({ brokers, context, replica: diskReplica({ directory }) }),
  parts: [views],
  logger: benchLogger,
})
const say = (events: number, done: boolean) => {
  globalThis.gc?.()
  const { rss, heapUsed } = process.memoryUsage()
  process.send?.({ events, rss: rss / 2 ** 20, heap: heapUsed / 2 ** 20, done } satisfies Weight)
}
const { events } = await views.rebuild(OrdersView, { onProgress: (progress) => say(progress.events, false) })
say(events, true)
await app.stop()
process.disconnect?.()
