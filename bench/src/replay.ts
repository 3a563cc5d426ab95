// Replays from offset 0 of one long log, into memory and into Postgres.
import { uniqueName } from '@narrative/testing'
import type { Bench } from './bench.js'
import { writeOrderLog } from './orders/order-log.js'
import { replayIntoMemory } from './replay-into-memory.js'
import { replayIntoPostgres } from './replay-into-postgres.js'

export const replayBench: Bench = {
  name: 'replay',
  measures: 'replay from offset 0 into read models in memory and in Postgres',
  async run(run) {
    const { brokers } = await run.services.kafka()
    const context = uniqueName('bench')
    const size = { events: run.quick ? 200_000 : 500_000, orders: 50_000 }
    run.progress(`writing ${size.events} events of ${size.orders} orders`)
    const log = await writeOrderLog(brokers, context, size)
    run.progress('replay into memory, beside a raw consumer')
    await replayIntoMemory(run, brokers, log)
    run.progress('replay into Postgres, beside SQL written by hand')
    await replayIntoPostgres(run, brokers, log, 'replay.postgres')
  },
}
