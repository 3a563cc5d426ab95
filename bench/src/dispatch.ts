// Dispatch of a command in memory, without validation and network: what the framework itself costs.
import { type Application, createApplication, noValidation } from '@narrative/core'
import type { Bench, BenchRun } from './bench.js'
import { inTurns, median } from './harness.js'
import { Count, Counter, Look } from './orders/counter.js'
import { orderIdOf } from './orders/order-load.js'
import { nestDispatch } from './peers/nest-dispatch.js'

const ids = Array.from({ length: 2000 }, (_, number) => orderIdOf(number))

export const dispatchBench: Bench = {
  name: 'dispatch',
  measures: 'commands in memory, validation off, beside a bare async call and @nestjs/cqrs',
  async run(run) {
    const nest = await nestDispatch()
    const bare = async (_id: string) => {}
    try {
      await compare(run, 'dispatch.no-event.bare-call', (id) => new Look(id), 'a bare async call', bare)
      await compare(run, 'dispatch.no-event.nestjs-cqrs', (id) => new Look(id), '@nestjs/cqrs', nest.dispatch)
      await compare(
        run,
        'dispatch.one-event.nestjs-cqrs',
        (id) => new Count(id),
        '@nestjs/cqrs (which stores nothing)',
        nest.dispatch,
      )
    } finally {
      await nest.close()
    }
  },
}

async function compare(
  run: BenchRun,
  name: string,
  command: (id: string) => object,
  reference: string,
  call: (id: string) => Promise<unknown>,
): Promise<void> {
  run.progress(`${name}, beside ${reference}`)
  const count = run.quick ? 100_000 : 300_000
  const { ours, theirs } = await inTurns(
    run.rounds,
    () => inMemory(async (app) => perSecond(count, (id) => app.commands.execute(command(id)))),
    () => perSecond(count * 4, call),
  )
  run.report({ name, value: median(ours), unit: 'commands/s', reference, referenceValue: median(theirs) })
}

/** A store of its own for every turn: none inherits the log of the one before. */
async function inMemory<T>(measure: (app: Application) => Promise<T>): Promise<T> {
  const app = await createApplication({ aggregates: [Counter], validator: noValidation })
  try {
    return await measure(app)
  } finally {
    await app.stop()
  }
}

/** One caller, one call after the other. */
async function perSecond(count: number, call: (id: string) => Promise<unknown>): Promise<number> {
  const start = performance.now()
  for (let n = 0; n < count; n++) await call(ids[n % ids.length]!)
  return count / ((performance.now() - start) / 1000)
}
