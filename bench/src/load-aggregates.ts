// How long the state of an aggregate takes that nobody kept: folded from the replica on disk, and from a snapshot.
import { randomUUID } from 'node:crypto'
import {
  type Application,
  createApplication,
  defineDecider,
  InMemorySnapshotStore,
  type Message,
} from '@narrative/core'
import { diskReplica, kafkaEventStore } from '@narrative/kafka-eventstore'
import { uniqueName } from '@narrative/testing'
import type { BenchRun } from './bench.js'
import { percentile } from './harness.js'
import { addLine } from './orders/order-load.js'
import { benchLogger } from './services.js'

type Touch = Message<'bench.cart.touch', { id: string; events: number }>
type Touched = Message<'bench.cart.touched', object>

const lengths = [10, 100, 1_000]
const carts = 200

/** A state of some size; a command of no events is a load and nothing else. */
const cart = (snapshotEvery?: number) =>
  defineDecider<{ lines: number; total: number; notes: string[] }, Touch, Touched>({
    category: 'cart',
    ...(snapshotEvery !== undefined && { snapshotEvery }),
    commands: { 'bench.cart.touch': {} },
    events: { 'bench.cart.touched': {} },
    identify: ({ data }) => data.id,
    initial: () => ({ lines: 0, total: 0, notes: [] }),
    decide: ({ data: { events } }) =>
      Array.from({ length: events }, () => ({ type: 'bench.cart.touched', data: line })),
    evolve: (state) => {
      state.lines++
      state.total += 2
      if (state.notes.length < 20) state.notes.push(line.note)
      return state
    },
  })
const line = addLine(randomUUID())

export async function loadAggregates(run: BenchRun, brokers: string[], directory: string): Promise<void> {
  run.progress('loads of aggregates of 10, 100 and 1,000 events, folded and from a snapshot')
  const context = uniqueName('bench')
  const started = (snapshotEvery?: number) =>
    createApplication({
      aggregates: [cart(snapshotEvery)],
      eventStore: kafkaEventStore({ brokers, context, replica: diskReplica({ directory }) }),
      snapshots: new InMemorySnapshotStore({ max: 1 }), // nothing is kept between two commands
      logger: benchLogger,
    })
  const each = async (app: Application, length: number, events: number) => {
    const times = new Float64Array(carts)
    for (let number = 0; number < carts; number++) {
      const command: Touch = { type: 'bench.cart.touch', data: { id: `${length}-${number}`, events } }
      const began = performance.now()
      await app.commands.execute(command)
      times[number] = performance.now() - began
    }
    return times.sort()
  }
  const measured = async (app: Application, length: number) => {
    await each(app, length, 0)
    return each(app, length, 0)
  }

  const filling = await started(10)
  for (const length of lengths) {
    const perAppend = Math.min(length, 100)
    for (let done = 0; done < length; done += perAppend) await each(filling, length, perAppend)
    await each(filling, length, 1) // its load is the one that leaves a snapshot behind
  }
  await filling.stop()

  const folding = await started()
  const folded = new Map<number, Float64Array>()
  for (const length of lengths) folded.set(length, await measured(folding, length))
  await folding.stop()
  const restoring = await started(10)
  for (const length of lengths) {
    const restored = await measured(restoring, length)
    for (const [name, part] of [
      ['p50', 0.5],
      ['p99', 0.99],
    ] as const) {
      const value = percentile(folded.get(length)!, part)
      run.report({ name: `replica.load.${length}-events.${name}`, value, unit: 'ms' })
      run.report({
        name: `replica.load.${length}-events.snapshot.${name}`,
        value: percentile(restored, part),
        unit: 'ms',
        reference: 'the same, all of its events folded',
        referenceValue: value,
      })
    }
  }
  await restoring.stop()
}
