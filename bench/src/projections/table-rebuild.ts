// A table rebuilt from 1,000,000 events: onto few rows, which all stay in memory, and onto more rows than do.
import { uniqueName } from '@narrative/testing'
import type { Bench } from '../bench.js'
import { writeOrderLog } from '../orders/order-log.js'
import { replayIntoPostgres } from '../replay-into-postgres.js'

/** @param name the last part of the group's name */
export function tableRebuildBench(name: string, rows: number): Bench {
  return {
    name: `projections.${name}`,
    measures: `a table rebuilt from 1,000,000 events onto ${rows} rows, beside SQL written by hand`,
    async run(run) {
      const { brokers } = await run.services.kafka()
      const size = { events: run.quick ? 200_000 : 1_000_000, orders: run.quick ? rows / 5 : rows }
      run.progress(`writing ${size.events} events of ${size.orders} orders`)
      const log = await writeOrderLog(brokers, uniqueName('bench'), size)
      run.progress('rebuilding from offset 0, beside SQL written by hand')
      await replayIntoPostgres(run, brokers, log, `projections.${name}.rebuild`)
    },
  }
}
