// Commands through an instance that does not own the stream, beside local ones, and beside the bare way there and back.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Application, createApplication, isNarrativeError } from '@narrative/core'
import { kafkaEventStore } from '@narrative/kafka-eventstore'
import { uniqueName } from '@narrative/testing'
import type { Bench, BenchRun } from './bench.js'
import { closedLoop, inTurns, medianLoad } from './harness.js'
import { Order } from './orders/order.js'
import { addLine, OrderLoad, orderIdOf } from './orders/order-load.js'
import { createTopic } from './peers/raw-producer.js'
import { type Asker, startAsker } from './peers/raw-round-trip.js'
import type { RoutingOwnerOptions } from './routing-owner.js'
import { benchLogger } from './services.js'

const levels = [1, 64]
/** What the issue asks for at 64 callers. */
const limit = { callers: 64, perSecond: 3_000, p50: 8 }
const orders = 4_000
const program = fileURLToPath(new URL('./routing-owner.js', import.meta.url))

export const routingBench: Bench = {
  name: 'routing',
  measures: 'validated commands through an instance that does not own their stream, beside local ones',
  async run(run) {
    const { brokers } = await run.services.kafka()
    const context = uniqueName('bench')
    const echo = { requests: uniqueName('bench-requests'), replies: uniqueName('bench-replies') }
    await createTopic(brokers, echo.requests, 4)
    await createTopic(brokers, echo.replies, 1)
    const owner = await startOwner({ brokers, context, echo })
    const app = await createApplication({
      aggregates: [Order],
      eventStore: kafkaEventStore({ brokers, context }),
      logger: benchLogger,
    })
    const asker = await startAsker(brokers, echo)
    try {
      await settled(app)
      const { here, elsewhere } = await share(app)
      for (const callers of levels) await level(run, { app, asker, here, elsewhere, callers })
    } finally {
      await asker.close()
      await app.stop()
      const exited = once(owner, 'exit')
      owner.disconnect()
      await exited
    }
  },
}

interface Level {
  readonly app: Application
  readonly asker: Asker
  readonly here: readonly string[]
  readonly elsewhere: readonly string[]
  readonly callers: number
}

async function level(run: BenchRun, { app, asker, here, elsewhere, callers }: Level): Promise<void> {
  run.progress(`routed commands, ${callers} callers, beside local ones`)
  const seconds = run.quick ? 1 : 2
  const at = (ids: readonly string[]) => {
    const load = new OrderLoad(ids, callers)
    return () => closedLoop(callers, seconds, (caller) => app.commands.execute(load.next(caller)))
  }
  const value = Buffer.from(JSON.stringify(addLine(elsewhere[0]!)))
  const routed = at(elsewhere)
  const beside = await inTurns(run.rounds, routed, at(here))
  const bare = await inTurns(run.rounds, routed, () => closedLoop(callers, seconds, () => asker.ask(value)))
  const ours = medianLoad([...beside.ours, ...bare.ours])
  const references = [
    { name: 'local', reference: 'the same commands where their streams are owned', load: medianLoad(beside.theirs) },
    { name: 'bare', reference: 'kafkajs: a message there, its echo back, nothing done', load: medianLoad(bare.theirs) },
  ]
  const name = `routing.${callers}-caller${callers === 1 ? '' : 's'}`
  for (const { name: beside, reference, load } of references) {
    const throughput = { value: ours.perSecond, unit: 'commands/s', reference, referenceValue: load.perSecond }
    run.report({ name: `${name}.throughput.${beside}`, ...throughput })
    run.report({ name: `${name}.p50.${beside}`, value: ours.p50, unit: 'ms', reference, referenceValue: load.p50 })
    run.report({ name: `${name}.p99.${beside}`, value: ours.p99, unit: 'ms', reference, referenceValue: load.p99 })
  }
  if (callers !== limit.callers) return
  const reference = 'the limit we set ourselves'
  const { perSecond, p50 } = limit
  const throughput = { value: ours.perSecond, unit: 'commands/s', referenceValue: perSecond, target: '>= 1' } as const
  run.report({ name: `${name}.throughput`, reference, ...throughput })
  run.report({ name: `${name}.p50`, value: ours.p50, unit: 'ms', reference, referenceValue: p50, target: '<= 1' })
}

async function startOwner(options: RoutingOwnerOptions): Promise<ChildProcess> {
  const owner = fork(program, [JSON.stringify(options)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  const [message] = await Promise.race([once(owner, 'message'), once(owner, 'exit')])
  if (message !== 'ready') throw new Error(`The other instance ended with ${message} before it was ready.`)
  return owner
}

/** A newcomer gets its half of the partitions when it has read them. */
async function settled(app: Application): Promise<void> {
  for (const end = performance.now() + 30_000; performance.now() < end; await delay(50)) {
    const { partitions } = app.status()
    if (2 * partitions.filter(({ state }) => state === 'serving').length === partitions.length) return
  }
  throw new Error('The two instances did not share the partitions within 30 s.')
}

/** Orders whose stream lives here, and orders whose stream does not. */
async function share(app: Application): Promise<{ here: string[]; elsewhere: string[] }> {
  const shared = { here: [] as string[], elsewhere: [] as string[] }
  for (let number = 0; number < orders; number++) {
    const id = orderIdOf(number)
    shared[(await owns(app, id)) ? 'here' : 'elsewhere'].push(id)
  }
  return shared
}

/** The opened store itself answers only for streams of its own. */
async function owns(app: Application, orderId: string): Promise<boolean> {
  try {
    await app.eventStore.findCommand(`order-${orderId}`, 'none')
    return true
  } catch (error) {
    if (isNarrativeError(error, 'NOT_OWNER')) return false
    throw error
  }
}
