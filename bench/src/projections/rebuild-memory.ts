// What a process weighs while it rebuilds a table from 1,000,000 events: it must not grow with them.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { uniqueName } from '@narrative/testing'
import type { Bench, BenchRun } from '../bench.js'
import { median } from '../harness.js'
import { writeOrderLog } from '../orders/order-log.js'
import type { RebuildProcessOptions, Weight } from './rebuild-process.js'

const program = fileURLToPath(new URL('./rebuild-process.js', import.meta.url))

export const rebuildMemoryBench: Bench = {
  name: 'projections.memory',
  measures: 'the memory of a process that rebuilds a table from 1,000,000 events, while it goes on',
  async run(run) {
    const { brokers } = await run.services.kafka()
    const postgres = await run.services.postgres()
    const events = run.quick ? 200_000 : 1_000_000
    for (const orders of run.quick ? [2_000, 40_000] : [2_000, 200_000]) {
      const context = uniqueName('bench')
      run.progress(`writing ${events} events of ${orders} orders`)
      await writeOrderLog(brokers, context, { events, orders })
      const directory = mkdtempSync(join(tmpdir(), 'narrative-bench-'))
      try {
        run.progress('rebuilding in a process that is left alone, and in one whose heap is collected at every look')
        const rebuild = async (nodeOptions: string[]) =>
          weigh({ brokers, context, directory, url: await postgres.createDatabase() }, nodeOptions)
        // Unmeasured: it also writes the replica, and would be weighed with what that took.
        await rebuild([])
        // Rows are met for the first time until each had its turn; what is kept of them grows until then.
        const met = 1.25 * orders
        // And V8 takes a while until it has the room it works in; what is in use of it does not grow from the first tenth on.
        const rss = (await rebuild([])).map(({ events, rss }): Point => [events, rss])
        report(run, `projections.memory.${orders}-rows.rss`, rss, Math.max(events / 5, met))
        const heap = (await rebuild(['--expose-gc'])).map(({ events, heap }): Point => [events, heap])
        report(run, `projections.memory.${orders}-rows.heap`, heap, Math.max(events / 10, met))
      } finally {
        rmSync(directory, { recursive: true })
      }
    }
  },
}

/** Events that were applied, and megabytes. */
type Point = [events: number, megabytes: number]

/** The least and the most beside the middle, until the last fifth: then nothing is read ahead any more, and memory falls. */
function report(run: BenchRun, name: string, points: readonly Point[], from: number): void {
  const to = 0.8 * points.at(-1)![0]
  const weights = points.filter(([events]) => events >= from && events <= to).map(([, megabytes]) => megabytes)
  run.progress(`${name}: ${points.map(([events, mb]) => `${Math.round(events / 1000)}k ${Math.round(mb)}`).join(', ')}`)
  const middle = median(weights)
  const beside = { unit: 'MB', reference: `the middle of ${weights.length} looks`, referenceValue: middle } as const
  run.report({ name: `${name}.most`, value: Math.max(...weights), ...beside, target: '<= 1.1' })
  run.report({ name: `${name}.least`, value: Math.min(...weights), ...beside, target: '>= 0.9' })
}

async function weigh(options: RebuildProcessOptions, nodeOptions: string[]): Promise<readonly Weight[]> {
  const child = fork(program, [JSON.stringify(options)], { execArgv: nodeOptions })
  const weights: Weight[] = []
  child.on('message', (weight: Weight) => weights.push(weight))
  const [code] = await once(child, 'exit')
  if (code !== 0 || !weights.at(-1)?.done)
    throw new Error(`The rebuilding process ended with ${code} before it was done.`)
  return weights
}
