// Everything in an application that goes by time goes by the clock it was given.
import {
  Aggregate,
  AggregateId,
  Command,
  type CommandContext,
  CommandHandler,
  createApplication,
  Event,
  EventHandler,
  inMemoryEventStore,
  silentLogger,
} from '@narrative/core'
import { defineProjection, memoryReadModels, projections, table } from '@narrative/projections'
import { IsString } from 'class-validator'
import { expect, test, vi } from 'vitest'
import { at } from './settable-clock.js'

@Command('kettle.boil')
class Boil {
  @AggregateId() @IsString() readonly id!: string
}

@Event('kettle.boiled')
class Boiled {}

let begun = () => {}
let handler: (context: CommandContext) => Promise<void> = async () => {}

@Aggregate('kettle')
class Kettle {
  @CommandHandler(Boil) async boil(_: Boil, context: CommandContext) {
    begun()
    await handler(context)
    return new Boiled()
  }
  @EventHandler(Boiled) boiled() {}
}

const minute = 60_000
const noon = Date.UTC(2026, 0, 1, 12)
const boil = () => Object.assign(new Boil(), { id: '1' })
const started = () =>
  new Promise<void>((resolve) => {
    begun = resolve
  })

test('the times of events', async () => {
  const clock = at(noon)
  handler = async () => {}
  const app = await createApplication({
    aggregates: [Kettle],
    eventStore: inMemoryEventStore(),
    clock,
    logger: silentLogger,
  })
  const times = async () => {
    const found = []
    for await (const { time } of app.aggregates.history(Kettle, '1')) found.push(time)
    return found
  }
  await app.commands.execute(boil())
  clock.advance(minute)
  await app.commands.execute(boil())
  expect(await times()).toEqual([noon, noon + minute])
  await app.stop()
})

test('the deadline of a command, while its handler waits and when it is done', async () => {
  const clock = at(noon)
  const app = await createApplication({
    aggregates: [Kettle],
    eventStore: inMemoryEventStore(),
    clock,
    logger: silentLogger,
  })
  const deadline = new Date(noon + minute)

  // Waits for ever: the caller does not.
  let signal: AbortSignal | undefined
  handler = (context) => {
    signal = context.signal
    return new Promise(() => {})
  }
  const begins = started()
  const late = expect(app.commands.execute(boil(), { deadline })).rejects.toMatchObject({ code: 'COMMAND_EXPIRED' })
  await begins
  clock.advance(minute - 1)
  expect(signal!.aborted).toBe(false)
  clock.advance(1)
  await late
  expect(signal!.aborted).toBe(true)

  clock.set(noon)
  handler = async () => clock.advance(minute)
  await expect(app.commands.execute(boil(), { deadline })).rejects.toMatchObject({ code: 'COMMAND_EXPIRED' })
  await app.stop()
})

test('when a projection tries again, and when it parks', async () => {
  const clock = at(noon)
  handler = async () => {}
  let tries = 0
  const failing = defineProjection({
    name: 'failing',
    from: [Kettle],
    table: table('failing', { key: 'id', columns: { id: 'text' } }),
    on: {
      'kettle.boiled': () => {
        tries++
        throw new Error('Broken.')
      },
    },
    onFailure: { retries: 7 },
  })
  const views = projections([failing], { store: memoryReadModels() })
  const app = await createApplication({
    ...{ aggregates: [Kettle], eventStore: inMemoryEventStore(), clock, parts: [views], logger: silentLogger },
  })
  await app.commands.execute(boil())
  // In real time the longest of its pauses takes seconds.
  const within = { timeout: 2_000 }
  for (let tried = 1; tried <= 7; tried++) {
    await vi.waitFor(() => expect([tries, views.status()[0]!.state]).toEqual([tried, 'retrying']), within)
    clock.advance(minute)
  }
  await vi.waitFor(async () => expect(await views.deadLetters('failing').count()).toBe(1), within)
  const [letter] = await views.deadLetters('failing').list()
  expect(letter).toMatchObject({ attempts: 8, parkedAt: noon + 7 * minute })
  await app.stop()
})

test('how far a read model is behind, in seconds', async () => {
  const clock = at(noon)
  handler = async () => {}
  const view = defineProjection({
    name: 'view',
    from: [Kettle],
    table: table('view', { key: 'id', columns: { id: 'text' } }),
    on: { 'kettle.boiled': (_row, _event, { aggregateId }) => ({ id: aggregateId }) },
  })
  const views = projections([view], { store: memoryReadModels() })
  const app = await createApplication({
    ...{ aggregates: [Kettle], eventStore: inMemoryEventStore(), clock, parts: [views], logger: silentLogger },
  })
  await views.pause('view')
  await app.commands.execute(boil())
  clock.advance(5 * minute)
  expect((await views.overview('view')).lag.seconds).toBe(300)
  await app.stop()
})

test('an application that stops does not wait for the clock', async () => {
  const clock = at(noon)
  handler = async () => {}
  const failing = defineProjection({
    name: 'failing',
    from: [Kettle],
    table: table('failing', { key: 'id', columns: { id: 'text' } }),
    on: {
      'kettle.boiled': () => {
        throw new Error('Broken.')
      },
    },
  })
  const views = projections([failing], { store: memoryReadModels() })
  const app = await createApplication({
    ...{ aggregates: [Kettle], eventStore: inMemoryEventStore(), clock, parts: [views], logger: silentLogger },
  })
  await app.commands.execute(boil())
  await vi.waitFor(() => expect(views.status()[0]!.state).toBe('retrying'))
  await app.stop()
})
