// A projection in memory rebuilt from offset 0, beside a kafkajs consumer of the same topic.
import { memoryReadModels } from '@narrative/projections'
import type { BenchRun } from './bench.js'
import { inTurns, median } from './harness.js'
import { expectAll, type OrderLog } from './orders/order-log.js'
import { orderViewApp } from './orders/order-view-app.js'
import { addToTotals, type OrderTotal, OrderTotals } from './orders/order-views.js'
import { readTopic } from './peers/raw-consumer.js'

export async function replayIntoMemory(run: BenchRun, brokers: string[], log: OrderLog): Promise<void> {
  const { views, topic, stop } = await orderViewApp(brokers, log, OrderTotals, memoryReadModels())
  const ours = async () => {
    const start = performance.now()
    await views.rebuild(OrderTotals)
    const seconds = (performance.now() - start) / 1000
    expectAll(log, countLines(OrderTotals.totals))
    return log.events / seconds
  }
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
    await stop()
  }
}

function countLines(totals: ReadonlyMap<string, OrderTotal>): number {
  let lines = 0
  for (const total of totals.values()) lines += total.lines
  return lines
}
