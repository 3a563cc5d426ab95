// What an instance weighs with so many streams: its replica on disk, and in memory.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { uniqueName } from '@narrative/testing'
import type { Bench, BenchRun } from './bench.js'
import { InstanceProcess } from './instance-process.js'
import { writeHistory } from './orders/order-history.js'
import { orderIdOf } from './orders/order-load.js'

const eventsPerStream = 10
/** MB that an instance with a replica on disk may weigh. */
const limit = 1536

export const replicaMemoryBench: Bench = {
  name: 'memory',
  measures: 'the memory of an instance with 1,000,000 streams of 10 events on 4 partitions',
  onlyWhenNamed: true, // writing that history takes minutes
  async run(run) {
    const { brokers } = await run.services.kafka()
    const directory = mkdtempSync(join(tmpdir(), 'narrative-bench-'))
    try {
      await weigh(run, brokers, run.quick ? 20_000 : 1_000_000, directory)
      // Of a tenth: what it takes grows with the events, and all of them would not fit.
      await weigh(run, brokers, run.quick ? 20_000 : 100_000, null)
    } finally {
      rmSync(directory, { recursive: true })
    }
  },
}

async function weigh(run: BenchRun, brokers: string[], count: number, directory: string | null): Promise<void> {
  const streams = Array.from({ length: count }, (_, number) => orderIdOf(number))
  const context = uniqueName('bench')
  const events = count * eventsPerStream
  run.progress(`writing ${events} events`)
  await writeHistory(brokers, context, { streams, eventsPerStream, eventsPerAppend: 5 })
  run.progress(
    `an instance reads them into a replica ${directory === null ? 'in memory' : 'on disk'}, and takes commands`,
  )
  // Its callers' commands go to orders all over the history.
  const orders = streams.filter((_, number) => number % Math.ceil(count / 2_000) === 0)
  const options = { brokers, context, group: uniqueName('bench'), directory, orders }
  const instance = new InstanceProcess(options, ['--max-old-space-size=12000'])
  try {
    const { opened } = await instance.report()
    for (let second = 0; second < 9; second++) await instance.report()
    const { peak, rss } = await instance.report()
    const name = directory === null ? 'memory.in-memory' : 'memory.on-disk'
    run.report({ name: `${name}.events`, value: events, unit: 'events' })
    const limited = directory !== null && !run.quick
    run.report({
      ...{ name: `${name}.peak`, value: peak, unit: 'MB' },
      ...(limited && { reference: 'the limit we set ourselves', referenceValue: limit, target: '<= 1' as const }),
    })
    run.report({ name: `${name}.per-event`, value: (rss * 2 ** 20) / events, unit: 'bytes' })
    run.report({ name: `${name}.opened`, value: opened / 1000, unit: 's' })
  } finally {
    await instance.kill()
  }
}
