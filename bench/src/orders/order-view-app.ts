// An application with one read model, on a log that is there already.
import { createApplication } from '@narrative/core'
import { kafkaEventStore } from '@narrative/kafka-eventstore'
import { type ProjectionLike, projections, type ReadModels } from '@narrative/projections'
import type { RawRead } from '../peers/raw-consumer.js'
import { benchLogger } from '../services.js'
import { Order } from './order.js'
import type { OrderLog } from './order-log.js'

/** Resolves when the view has caught up. `topic` is the same log as a plain consumer sees it. */
export async function orderViewApp(brokers: string[], log: OrderLog, view: ProjectionLike, store: ReadModels) {
  const views = projections([view], { store })
  const app = await createApplication({
    aggregates: [Order],
    eventStore: kafkaEventStore({ brokers, context: log.context }),
    parts: [views],
    logger: benchLogger,
  })
  // Every owner that opens the store leaves a claim record in each partition, so there are more records than events.
  const records = (await app.eventLog.partitions('order')).reduce((sum, { end }) => sum + end, 0)
  await views.ready()
  const topic: RawRead = { brokers, topic: log.topic, records }
  return { views, topic, eventStore: app.eventStore, stop: () => app.stop() }
}
