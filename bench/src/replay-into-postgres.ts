// A table projection rebuilt from offset 0, beside SQL written by hand for the same final rows.
//
// Judged against the same job: the same log read by kafkajs, decoded, summed and written by hand. The second figure
// shows the ceiling: the same SQL when the decoded events lie in memory and nothing has to be read.
import { postgresReadModels } from '@narrative/projections'
import pg from 'pg'
import type { BenchRun } from './bench.js'
import { allInTurns, median } from './harness.js'
import { expectAll, type OrderLog } from './orders/order-log.js'
import { orderViewApp } from './orders/order-view-app.js'
import { OrdersView } from './orders/order-views.js'
import { HandWrittenView, HandWrittenWriter } from './peers/hand-written-view.js'
import { readTopic } from './peers/raw-consumer.js'

/** Together as many uncommitted events as ours allows itself: 20,000. */
const handBatch = 10_000
const handConnections = 2

/** @param name of the figure */
export async function replayIntoPostgres(run: BenchRun, brokers: string[], log: OrderLog, name: string): Promise<void> {
  const url = await (await run.services.postgres()).createDatabase()
  const { views, topic, stop } = await orderViewApp(brokers, log, OrdersView, postgresReadModels({ url }))
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
    const writers = log.byPartition.map((_, partition) => new HandWrittenWriter(hand, partition, handBatch))
    const start = performance.now()
    const reading = await readTopic(topic, ({ partition, messages }) => {
      const events = messages.flatMap(({ key, value }) => (key === null ? [] : [JSON.parse(String(value))]))
      return writers[partition]!.take(events)
    })
    // From joining the group on: the connecting and joining before are not held against it.
    const before = (performance.now() - start) / 1000 - reading
    await Promise.all(writers.map((writer) => writer.finish()))
    const seconds = (performance.now() - start) / 1000 - before
    expectAll(log, await hand.lines())
    return log.events / seconds
  }

  try {
    const [mine, fromLog, alone] = (await allInTurns(run.rounds, [ours, byHandFromLog, byHand])).map(median)
    run.report({
      name,
      value: mine!,
      unit: 'events/s',
      reference: `the same log by kafkajs eachBatch into hand-written INSERT … SELECT unnest … ON CONFLICT, ${handBatch} events per transaction on ${handConnections} connections`,
      referenceValue: fromLog!,
      target: '>= 0.6',
    })
    run.report({
      name: `${name}.ceiling`,
      value: mine!,
      unit: 'events/s',
      reference: 'the hand-written SQL alone, of decoded events in memory: nothing is read',
      referenceValue: alone!,
    })
  } finally {
    await hand.close()
    await pool.end()
    await stop()
  }
}

async function applyInBatches(hand: HandWrittenView, partition: number, events: OrderLog['byPartition'][number]) {
  for (let at = 0; at < events.length; at += handBatch) await hand.apply(partition, events.slice(at, at + handBatch))
}
