// The replica on disk beside the one in memory, and beside a consumer that only counts: rebuild, restart, commands, loads.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createApplication, systemClock } from '@narrative/core'
import { diskReplica, kafkaEventStore } from '@narrative/kafka-eventstore'
import { uniqueName } from '@narrative/testing'
import type { Bench, BenchRun } from './bench.js'
import { closedLoop, inTurns, median, medianLoad } from './harness.js'
import { InstanceProcess } from './instance-process.js'
import { loadAggregates } from './load-aggregates.js'
import { Order } from './orders/order.js'
import { writeHistory } from './orders/order-history.js'
import { OrderLoad, orderIdOf } from './orders/order-load.js'
import { readTopic } from './peers/raw-consumer.js'
import { benchLogger } from './services.js'

const callers = 64

export const replicaBench: Bench = {
  name: 'replica',
  measures: 'the replica on disk: rebuilt from the log, opened again, under commands, and loads of aggregates',
  async run(run) {
    const { brokers } = await run.services.kafka()
    const root = mkdtempSync(join(tmpdir(), 'narrative-bench-'))
    const context = uniqueName('bench')
    const streams = Array.from({ length: run.quick ? 20_000 : 100_000 }, (_, number) => orderIdOf(number))
    const events = streams.length * 10
    try {
      run.progress(`writing ${events} events of ${streams.length} orders, the orders in turn`)
      await writeHistory(brokers, context, { streams, eventsPerStream: 10, eventsPerAppend: 2 })
      const history = { brokers, context, events, directory: join(root, 'history') }
      await rebuild(run, history)
      await restart(run, { ...history, streams })
      await commands(run, brokers, root)
      await loadAggregates(run, brokers, join(root, 'loads'))
    } finally {
      rmSync(root, { recursive: true })
    }
  },
}

interface History {
  readonly brokers: string[]
  readonly context: string
  readonly events: number
  readonly directory: string
}

const openStore = ({ brokers, context, directory }: History) =>
  kafkaEventStore({ brokers, context, replica: diskReplica({ directory }) }).open({
    categories: ['order'],
    clock: systemClock,
    logger: benchLogger,
  })

async function rebuild(run: BenchRun, history: History): Promise<void> {
  run.progress('the replica rebuilt from the log, beside a consumer that counts')
  const { brokers, context, events, directory } = history
  const rebuilt = async () => {
    rmSync(directory, { recursive: true, force: true })
    const began = performance.now()
    const store = await openStore(history)
    const seconds = (performance.now() - began) / 1000
    await store.close()
    return events / seconds
  }
  const counted = async () => events / (await readTopic({ brokers, topic: `${context}.order.events`, records: events }))
  const { ours, theirs } = await inTurns(run.rounds, rebuilt, counted)
  run.report({
    name: 'replica.rebuild',
    value: median(ours),
    unit: 'events/s',
    reference: 'kafkajs eachBatch that only counts the records, fetches of 4 MiB per partition',
    referenceValue: median(theirs),
    target: '>= 0.5',
  })
}

async function restart(run: BenchRun, history: History & { readonly streams: readonly string[] }): Promise<void> {
  run.progress('opened again, closed in order and killed under load')
  const { brokers, context, directory, streams } = history
  const closed: number[] = []
  const killed: number[] = []
  for (let round = 0; round < run.rounds; round++) {
    const began = performance.now()
    const store = await openStore(history)
    closed.push(performance.now() - began)
    await store.close()
    const instance = () => {
      const own = { brokers, context, group: uniqueName('bench'), directory, orders: streams.slice(0, 1_000) }
      return new InstanceProcess(own)
    }
    const victim = instance()
    for (let second = 0; second <= 3; second++) await victim.report()
    await victim.kill()
    const heir = instance()
    killed.push((await heir.report()).opened)
    await heir.kill()
  }
  const limited = { reference: 'the limit we set ourselves', referenceValue: 3_000, target: '<= 1' } as const
  run.report({ name: 'replica.restart.closed', value: median(closed), unit: 'ms', ...limited })
  run.report({ name: 'replica.restart.killed', value: median(killed), unit: 'ms', ...limited })
}

async function commands(run: BenchRun, brokers: string[], root: string): Promise<void> {
  run.progress(`commands, ${callers} callers, replica on disk beside in memory`)
  const seconds = run.quick ? 1 : 2
  // What is told apart is less than what a turn differs from the next.
  const rounds = run.quick ? run.rounds : 3 * run.rounds
  const started = async (directory: string | undefined) => {
    const replica = directory === undefined ? undefined : diskReplica({ directory })
    const eventStore = kafkaEventStore({ brokers, context: uniqueName('bench'), replica })
    const app = await createApplication({ aggregates: [Order], eventStore, logger: benchLogger })
    const load = new OrderLoad(2_000, callers)
    return { app, run: () => closedLoop(callers, seconds, (caller) => app.commands.execute(load.next(caller))) }
  }
  const disk = await started(join(root, 'commands'))
  const memory = await started(undefined)
  try {
    const { ours, theirs } = await inTurns(rounds, disk.run, memory.run)
    const [our, their] = [medianLoad(ours), medianLoad(theirs)]
    const reference = 'the same with the replica in memory'
    const name = `replica.commands.${callers}-callers`
    run.report({
      name: `${name}.throughput`,
      value: our.perSecond,
      unit: 'commands/s',
      reference,
      referenceValue: their.perSecond,
      target: '>= 0.8',
    })
    run.report({ name: `${name}.p50`, value: our.p50, unit: 'ms', reference, referenceValue: their.p50 })
    run.report({ name: `${name}.p99`, value: our.p99, unit: 'ms', reference, referenceValue: their.p99 })
  } finally {
    await disk.app.stop()
    await memory.app.stop()
  }
}
