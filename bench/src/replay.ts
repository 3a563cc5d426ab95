// Replays from offset 0: into memory beside a raw consumer, into Postgres beside SQL written by hand.
import { createApplication } from '@narrative/core'
import { kafkaEventStore } from '@narrative/kafka-eventstore'
import { memoryReadModels, postgresReadModels, projections } from '@narrative/projections'
import { uniqueName } from '@narrative/testing'
import pg from 'pg'
import type { Bench, BenchRun } from './bench.js'
import { inTurns, median } from './harness.js'
import { Order } from './orders/order.js'
import { type OrderLog, orderCount, writeOrderLog } from './orders/order-log.js'
import { addToTotals, OrdersView, type OrderTotal, OrderTotals } from './orders/order-views.js'
import { HandWrittenView } from './peers/hand-written-view.js'
import { readTopic } from './peers/raw-consumer.js'
import { benchLogger } from './services.js'

export const replayBench: Bench = {
  name: 'replay',
  measures: 'replay from offset 0 into read models in memory and in Postgres',
  async run(run) {
    const { brokers } = await run.services.kafka()
    const context = uniqueName('bench')
    const events = run.quick ? 200_000 : 500_000
    run.progress(`writing ${events} events of ${orderCount} orders`)
    const log = await writeOrderLog(brokers, context, events)
    await intoMemory(run, brokers, context, log)
    await intoPostgres(run, brokers, context, log)
  },
}

async function intoMemory(run: BenchRun, brokers: string[], context: string, log: OrderLog): Promise<void> {
  run.progress('replay into memory, beside a raw consumer')
  const views = projections([OrderTotals], { store: memoryReadModels() })
  const app = await createApplication({
    aggregates: [Order],
    eventStore: kafkaEventStore({ brokers, context }),
    parts: [views],
    logger: benchLogger,
  })
  const ours = async () => {
    const start = performance.now()
    await views.rebuild(OrderTotals)
    const seconds = (performance.now() - start) / 1000
    expectAll(log, countLines(OrderTotals.totals))
    return log.events / seconds
  }
  // Every owner that opens the store leaves a claim record in each partition.
  const records = (await app.eventLog.partitions('order')).reduce((sum, { end }) => sum + end, 0)
  const topic = { brokers, topic: log.topic, records }
  const counting = async () => log.events / (await readTopic(topic))
  const folding = async () => {
    const totals = new Map<string, OrderTotal>()
    const seconds = await readTopic(topic, ({ messages }) => {
      for (const { key, value } of messages) if (key !== null) addToTotals(totals, JSON.parse(String(value)))
    })
    expectAll(log, countLines(totals))
    return log.events / seconds
  }
  try {
    const alone = await inTurns(run.rounds, ours, counting)
    run.report({
      name: 'replay.memory',
      value: median(alone.ours),
      unit: 'events/s',
      reference: 'kafkajs eachBatch that only counts the records, fetches of 4 MiB per partition',
      referenceValue: median(alone.theirs),
      target: '>= 0.8',
    })
    const same = await inTurns(run.rounds, ours, folding)
    run.report({
      name: 'replay.memory.same-fold',
      value: median(same.ours),
      unit: 'events/s',
      reference: 'kafkajs eachBatch that parses the events and folds them into the same Map',
      referenceValue: median(same.theirs),
    })
  } finally {
    await app.stop()
  }
}

async function intoPostgres(run: BenchRun, brokers: string[], context: string, log: OrderLog): Promise<void> {
  run.progress('replay into Postgres, beside SQL written by hand')
  const url = await (await run.services.postgres()).createDatabase()
  const views = projections([OrdersView], { store: postgresReadModels({ url }) })
  const app = await createApplication({
    aggregates: [Order],
    eventStore: kafkaEventStore({ brokers, context }),
    parts: [views],
    logger: benchLogger,
  })
  const pool = new pg.Pool({ connectionString: url, max: 1 })
  const ours = async () => {
    const start = performance.now()
    await views.rebuild(OrdersView)
    const seconds = (performance.now() - start) / 1000
    expectAll(log, Number((await pool.query('SELECT sum(lines) AS lines FROM bench_orders')).rows[0].lines))
    return log.events / seconds
  }
  const records = (await app.eventLog.partitions('order')).reduce((sum, { end }) => sum + end, 0)
  const hand = new HandWrittenView(url, handConnections)
  try {
    await views.ready()
    const { ours: values, theirs } = await inTurns(run.rounds, ours, () => byHand(hand, log))
    run.report({
      name: 'replay.postgres',
      value: median(values),
      unit: 'events/s',
      reference: `hand-written INSERT … SELECT unnest … ON CONFLICT of decoded events from memory, ${handBatch} per transaction`,
      referenceValue: median(theirs),
      target: '>= 0.6',
    })
    const whole = await inTurns(run.rounds, ours, () =>
      byHandFromLog(hand, { brokers, topic: log.topic, records }, log),
    )
    run.report({
      name: 'replay.postgres.same-log',
      value: median(whole.ours),
      unit: 'events/s',
      reference: 'the same SQL fed by kafkajs eachBatch, decoding included',
      referenceValue: median(whole.theirs),
    })
  } finally {
    await hand.close()
    await pool.end()
    await app.stop()
  }
}

const handBatch = 20_000
const handConnections = 2

/** The SQL alone: the events are decoded already. */
async function byHand(hand: HandWrittenView, log: OrderLog): Promise<number> {
  await hand.begin(log.byPartition.length)
  const start = performance.now()
  await Promise.all(
    log.byPartition.map(async (events, partition) => {
      for (let at = 0; at < events.length; at += handBatch)
        await hand.apply(partition, events.slice(at, at + handBatch))
    }),
  )
  const seconds = (performance.now() - start) / 1000
  expectAll(log, await hand.lines())
  return log.events / seconds
}

/** The same work as ours: read the log, decode, fold, write. */
async function byHandFromLog(
  hand: HandWrittenView,
  topic: { brokers: string[]; topic: string; records: number },
  log: OrderLog,
): Promise<number> {
  await hand.begin(log.byPartition.length)
  const seconds = await readTopic(topic, ({ partition, messages }) => {
    const events = messages.flatMap(({ key, value }) => (key === null ? [] : [JSON.parse(String(value))]))
    return hand.apply(partition, events)
  })
  expectAll(log, await hand.lines())
  return log.events / seconds
}

function countLines(totals: ReadonlyMap<string, OrderTotal>): number {
  let lines = 0
  for (const total of totals.values()) lines += total.lines
  return lines
}

/** A replay that lost or doubled events is no figure. */
function expectAll(log: OrderLog, lines: number): void {
  if (lines !== log.events) throw new Error(`${log.events} events were replayed, but the read model holds ${lines}`)
}
