// Replays from offset 0 of one long log, into memory and into Postgres.
import { uniqueName } from '@narrative/testing'
import type { Bench } from './bench.js'
import { orderCount, writeOrderLog } from './orders/order-log.js'
import { replayIntoMemory } from './replay-into-memory.js'
import { replayIntoPostgres } from './replay-into-postgres.js'

export const replayBench: Bench = {
  name: 'replay',
  measures: 'replay from offset 0 into read models in memory and in Postgres',
  async run(run) {
    const { brokers } = await run.services.kafka()
    const context = uniqueName('bench')
    const events = run.quick ? 200_000 : 500_000
    run.progress(`writing ${events} events of ${orderCount} orders`)
    const log = await writeOrderLog(brokers, context, events)
    run.progress('replay into memory, beside a raw consumer')
    await replayIntoMemory(run, brokers, log)
    run.progress('replay into Postgres, beside SQL written by hand')
    await replayIntoPostgres(run, brokers, log)
  },
}
