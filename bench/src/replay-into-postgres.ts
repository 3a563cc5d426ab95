// A table projection rebuilt from offset 0, beside SQL written by hand for the same final rows.
//
// Ours reads the log, checks claims, decodes, folds any pure function, writes whole rows and switches tables at the end.
// The judged reference does none of that: it gets decoded events out of memory. The second one reads the log as well.
import { createApplication } from '@narrative/core'
import { kafkaEventStore } from '@narrative/kafka-eventstore'
import { postgresReadModels, projections } from '@narrative/projections'
import pg from 'pg'
import type { BenchRun } from './bench.js'
import { inTurns, median } from './harness.js'
import { Order } from './orders/order.js'
import { expectAll, type OrderLog } from './orders/order-log.js'
import { OrdersView } from './orders/order-views.js'
import { HandWrittenView } from './peers/hand-written-view.js'
import { readTopic } from './peers/raw-consumer.js'
import { benchLogger } from './services.js'

/** Together as many uncommitted events as ours allows itself: 20,000. */
const handBatch = 10_000
const handConnections = 2

export async function replayIntoPostgres(run: BenchRun, brokers: string[], log: OrderLog): Promise<void> {
  const url = await (await run.services.postgres()).createDatabase()
  const views = projections([OrdersView], { store: postgresReadModels({ url }) })
  const app = await createApplication({
    aggregates: [Order],
    eventStore: kafkaEventStore({ brokers, context: log.context }),
    parts: [views],
    logger: benchLogger,
  })
  const records = (await app.eventLog.partitions('order')).reduce((sum, { end }) => sum + end, 0)
  const topic = { brokers, topic: log.topic, records }
  const pool = new pg.Pool({ connectionString: url, max: 1 })
  const hand = new HandWrittenView(url, handConnections)

  const ours = async () => {
    const start = performance.now()
    await views.rebuild(OrdersView)
    const seconds = (performance.now() - start) / 1000
    expectAll(log, Number((await pool.query('SELECT sum(lines) AS lines FROM bench_orders')).rows[0].lines))
    return log.events / seconds
  }
  const byHand = async () => {
    await hand.begin(log.byPartition.length)
    const start = performance.now()
    await Promise.all(log.byPartition.map((events, partition) => applyInBatches(hand, partition, events)))
    const seconds = (performance.now() - start) / 1000
    expectAll(log, await hand.lines())
    return log.events / seconds
  }
  const byHandFromLog = async () => {
    await hand.begin(log.byPartition.length)
    const seconds = await readTopic(topic, ({ partition, messages }) => {
      const events = messages.flatMap(({ key, value }) => (key === null ? [] : [JSON.parse(String(value))]))
      return hand.apply(partition, events)
    })
    expectAll(log, await hand.lines())
    return log.events / seconds
  }

  try {
    await views.ready()
    const alone = await inTurns(run.rounds, ours, byHand)
    run.report({
      name: 'replay.postgres',
      value: median(alone.ours),
      unit: 'events/s',
      reference: `hand-written INSERT … SELECT unnest … ON CONFLICT, ${handBatch} events per transaction on ${handConnections} connections, events decoded beforehand`,
      referenceValue: median(alone.theirs),
      target: '>= 0.6',
    })
    const same = await inTurns(run.rounds, ours, byHandFromLog)
    run.report({
      name: 'replay.postgres.same-log',
      value: median(same.ours),
      unit: 'events/s',
      reference: 'the same SQL fed by kafkajs eachBatch, decoding included',
      referenceValue: median(same.theirs),
    })
  } finally {
    await hand.close()
    await pool.end()
    await app.stop()
  }
}

async function applyInBatches(hand: HandWrittenView, partition: number, events: OrderLog['byPartition'][number]) {
  for (let at = 0; at < events.length; at += handBatch) await hand.apply(partition, events.slice(at, at + handBatch))
}
