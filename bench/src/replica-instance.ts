// An instance in a process of its own: it opens the store, says when it serves and what it weighs, and takes commands until it is killed.
import { createApplication } from '@narrative/core'
import { diskReplica, kafkaEventStore } from '@narrative/kafka-eventstore'
import { closedLoop } from './harness.js'
import { Order } from './orders/order.js'
import { OrderLoad } from './orders/order-load.js'
import { benchLogger } from './services.js'

/** What it is started with, as JSON. */
export interface InstanceOptions {
  readonly brokers: string[]
  readonly context: string
  /** One of its own: a group would wait until the session of the one killed before has ended. */
  readonly group: string
  /** Of its replica; none: in memory. */
  readonly directory: string | null
  /** Ids of orders that its callers send commands to. */
  readonly orders: readonly string[]
}

/** What it says, first when it serves and then while it works. */
export interface InstanceReport {
  /** Milliseconds it took to serve. */
  readonly opened: number
  /** Megabytes: now, and at the most. */
  readonly rss: number
  readonly peak: number
}

const { brokers, context, group, directory, orders } = JSON.parse(process.argv[2]!) as InstanceOptions
process.on('disconnect', () => process.exit()) // the bench is over

const weight = () => process.memoryUsage.rss() / 2 ** 20
let peak = 0
const weighed = () => {
  peak = Math.max(peak, weight())
}
// Looked at often: Linux counts what the parent weighed when it forked as the most that this process ever did.
setInterval(weighed, 50).unref()

const began = performance.now()
const replica = directory === null ? undefined : diskReplica({ directory })
const app = await createApplication({
  aggregates: [Order],
  eventStore: kafkaEventStore({ brokers, context, group, replica }),
  logger: benchLogger,
})
const opened = performance.now() - began
const say = () => {
  weighed()
  process.send?.({ opened, rss: weight(), peak } satisfies InstanceReport)
}
say()
const load = new OrderLoad(orders, 64)
for (;;) {
  await closedLoop(64, 1, (caller) => app.commands.execute(load.next(caller)))
  say()
}
