// Commands through the whole framework on Kafka, beside Emmett on Postgres with the same validation and the same rule.
import { type Application, createApplication } from '@narrative/core'
import { kafkaEventStore } from '@narrative/kafka-eventstore'
import { uniqueName } from '@narrative/testing'
import type { Bench, BenchRun } from './bench.js'
import { closedLoop, inTurns, medianLoad } from './harness.js'
import { Order } from './orders/order.js'
import { OrderLoad } from './orders/order-load.js'
import { type EmmettOrders, emmettOrders } from './peers/emmett-orders.js'
import { benchLogger } from './services.js'

const orders = 2000
const levels = [1, 8, 64, 512]
/** Emmett's pool: of 10, 20 and 40 the quickest on two cores, though not by much. */
const connections = 20
/** Where the target stands. */
const judged = 64

export const commandsBench: Bench = {
  name: 'commands',
  measures: 'validated commands on 2,000 orders, one 300 B event each, beside Emmett on Postgres',
  async run(run) {
    const { brokers } = await run.services.kafka()
    const postgres = await run.services.postgres()
    const app = await createApplication({
      aggregates: [Order],
      eventStore: kafkaEventStore({ brokers, context: uniqueName('bench') }),
      logger: benchLogger,
    })
    const emmett = await emmettOrders(await postgres.createDatabase(), connections)
    try {
      for (const callers of levels) await level(run, app, emmett, callers)
    } finally {
      await emmett.close()
      await app.stop()
    }
  },
}

async function level(run: BenchRun, app: Application, emmett: EmmettOrders, callers: number): Promise<void> {
  run.progress(`commands, ${callers} callers, beside Emmett`)
  const seconds = run.quick ? 1 : 2
  const ourLoad = new OrderLoad(orders, callers)
  const theirLoad = new OrderLoad(orders, callers)
  const { ours, theirs } = await inTurns(
    run.rounds,
    () => closedLoop(callers, seconds, (caller) => app.commands.execute(ourLoad.next(caller))),
    () => closedLoop(callers, seconds, (caller) => emmett.addLine(theirLoad.next(caller))),
  )
  const our = medianLoad(ours)
  const their = medianLoad(theirs)
  const reference = `Emmett on Postgres, pool of ${connections} connections`
  const name = `commands.${callers}-caller${callers === 1 ? '' : 's'}`
  run.report({
    name: `${name}.throughput`,
    value: our.perSecond,
    unit: 'commands/s',
    reference,
    referenceValue: their.perSecond,
    target: callers === judged ? '>= 12' : undefined,
  })
  run.report({ name: `${name}.p50`, value: our.p50, unit: 'ms', reference, referenceValue: their.p50 })
  run.report({ name: `${name}.p99`, value: our.p99, unit: 'ms', reference, referenceValue: their.p99 })
}
