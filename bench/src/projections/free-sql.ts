// A projection with SQL of its own beside the same statements by hand: filled from offset 0, and rebuilt in one transaction.
import { setTimeout as delay } from 'node:timers/promises'
import { postgresReadModels } from '@narrative/projections'
import { uniqueName } from '@narrative/testing'
import pg from 'pg'
import type { Bench } from '../bench.js'
import { inTurns, median } from '../harness.js'
import { expectAll, writeOrderLog } from '../orders/order-log.js'
import { Revenue, revenueTable } from '../orders/order-revenue.js'
import { orderViewApp } from '../orders/order-view-app.js'
import { HandWrittenStatements } from '../peers/hand-written-statements.js'

export const freeSqlBench: Bench = {
  name: 'projections.sql',
  measures: 'a projection with SQL of its own, beside the same statements by hand',
  async run(run) {
    const { brokers } = await run.services.kafka()
    const url = await (await run.services.postgres()).createDatabase()
    const size = { events: run.quick ? 10_000 : 50_000, orders: 2_000 }
    run.progress(`writing ${size.events} events of ${size.orders} orders`)
    const log = await writeOrderLog(brokers, uniqueName('bench'), size)
    const { views, topic, stop } = await orderViewApp(brokers, log, Revenue, postgresReadModels({ url }))
    const pool = new pg.Pool({ connectionString: url, max: 1 })
    const hand = new HandWrittenStatements(url)
    const numberFrom = async (sql: string) => Number((await pool.query(sql)).rows[0].n ?? 0)
    const lines = () => numberFrom(`SELECT sum(lines) AS n FROM ${revenueTable}`)

    const filled = async () => {
      const start = performance.now()
      await views.reset(Revenue)
      while ((await lines()) < log.events) await delay(5)
      const seconds = (performance.now() - start) / 1000
      expectAll(log, await lines())
      return log.events / seconds
    }
    const rebuilt = async () => {
      const start = performance.now()
      await views.rebuild(Revenue)
      const seconds = (performance.now() - start) / 1000
      expectAll(log, await lines())
      return log.events / seconds
    }
    const byHand = (transaction: number | undefined) => async () => {
      await hand.begin(log.byPartition.length)
      const seconds = await hand.run(topic, transaction)
      expectAll(log, await hand.lines())
      return log.events / seconds
    }

    try {
      await filled()
      // Every transaction moves a checkpoint and counts up its revision.
      const transactions = await numberFrom(`SELECT sum(revision) AS n FROM narrative_checkpoints`)
      const transaction = Math.ceil(log.events / transactions)
      run.progress(`a statement per event, transactions of ${transaction} events`)
      const following = await inTurns(run.rounds, filled, byHand(transaction))
      run.report({
        name: 'projections.sql.followed',
        value: median(following.ours),
        unit: 'events/s',
        reference: `kafkajs eachBatch, JSON.parse, the same statements by hand, ${transaction} events per transaction on one connection`,
        referenceValue: median(following.theirs),
      })
      const rebuilding = await inTurns(run.rounds, rebuilt, byHand(undefined))
      run.report({
        name: 'projections.sql.rebuild',
        value: median(rebuilding.ours),
        unit: 'events/s',
        reference: 'the same by hand, in one transaction',
        referenceValue: median(rebuilding.theirs),
      })
    } finally {
      await hand.close()
      await pool.end()
      await stop()
    }
  },
}
