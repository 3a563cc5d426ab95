import { expect, test, vi } from 'vitest'
import { z } from 'zod'
import {
  type CommandContext,
  type CommandMiddleware,
  createApplication,
  currentMetadata,
  defineDecider,
  type EventStore,
  inMemoryEventStore,
  type Message,
  runWithMetadata,
} from '../index.js'

type Add = Message<'counter.add', { id: string; by: number }>
type AddLater = Message<'counter.add-later', { id: string; by: number }>
type Added = Message<'counter.added', { by: number }>

/** Lets a test hold a decision open: the decider awaits it. */
let beforeDeciding: (context: CommandContext) => Promise<void> = async () => {}

const counter = defineDecider<number, Add | AddLater, Added>({
  category: 'counter',
  commands: {
    'counter.add': { schema: z.object({ id: z.string(), by: z.number().int() }) },
    'counter.add-later': {},
  },
  events: { 'counter.added': {} },
  identify: (command) => command.data.id,
  initial: () => 0,
  decide: (command, _state, context) => {
    const event: Added = { type: 'counter.added', data: { by: command.data.by } }
    if (command.data.by === 0) return undefined
    return command.type === 'counter.add' ? event : beforeDeciding(context).then(() => event)
  },
  evolve: (total, event) => total + event.data.by,
})

const add = (by: number): Add => ({ type: 'counter.add', data: { id: '1', by } })
const addLater = (by: number): AddLater => ({ type: 'counter.add-later', data: { id: '1', by } })

test('commands to one stream are handled one at a time: none is lost, none conflicts', async () => {
  const app = await createApplication({ aggregates: [counter] })
  let decisions = 0
  beforeDeciding = async () => void decisions++
  const results = await Promise.all(
    Array.from({ length: 50 }, (_, i) => app.commands.execute(i % 2 ? add(1) : addLater(1))),
  )
  expect(results.map((r) => r.version).sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i + 1))
  expect((await app.aggregates.state(counter, '1')).state).toBe(50)
  expect(decisions).toBe(25)
  beforeDeciding = async () => {}
  await app.stop()
})

test('when somebody else appended first, the command is decided again on what is there now', async () => {
  const app = await createApplication({ aggregates: [counter] })
  let decisions = 0
  beforeDeciding = async ({ version }) => {
    if (decisions++ < 2) await appendDirectly(app.eventStore, version)
  }
  const result = await app.commands.execute(addLater(5))
  beforeDeciding = async () => {}
  expect(decisions).toBe(3)
  expect(result.version).toBe(3)
  expect((await app.aggregates.state(counter, '1')).state).toBe(205)
  await app.stop()
})

test('a caller’s expected version is not retried over', async () => {
  const app = await createApplication({ aggregates: [counter] })
  await app.commands.execute(add(1), { expectedVersion: 0 })
  await expect(app.commands.execute(add(1), { expectedVersion: 0 })).rejects.toMatchObject({
    code: 'VERSION_CONFLICT',
    retryable: true,
    details: { streamId: 'counter-1', expectedVersion: 0, actualVersion: 1 },
  })
  beforeDeciding = ({ version }) => appendDirectly(app.eventStore, version)
  await expect(app.commands.execute(addLater(1), { expectedVersion: 1 })).rejects.toMatchObject({
    code: 'VERSION_CONFLICT',
  })
  beforeDeciding = async () => {}
  await app.stop()
})

test('a command id acts once, however often and however concurrently it is sent', async () => {
  const app = await createApplication({ aggregates: [counter] })
  const results = await Promise.all(
    Array.from({ length: 10 }, () => app.commands.execute(add(7), { commandId: 'same' })),
  )
  expect(new Set(results.map((r) => r.version))).toEqual(new Set([1]))
  expect(results.filter((r) => !r.duplicate)).toHaveLength(1)
  expect(
    results.every((r) => JSON.stringify(r.events) === JSON.stringify([{ type: 'counter.added', data: { by: 7 } }])),
  ).toBe(true)
  await app.stop()
})

test('a handler may decide on nothing', async () => {
  const app = await createApplication({ aggregates: [counter] })
  expect(await app.commands.execute(add(0))).toMatchObject({ version: 0, position: undefined, events: [] })
  await app.stop()
})

test('an expired or aborted command appends nothing, also when its handler hangs', async () => {
  const app = await createApplication({ aggregates: [counter] })
  await expect(app.commands.execute(add(1), { deadline: Date.now() - 1 })).rejects.toMatchObject({
    code: 'COMMAND_EXPIRED',
  })
  await expect(app.commands.execute(add(1), { signal: AbortSignal.abort() })).rejects.toMatchObject({
    code: 'COMMAND_ABORTED',
  })

  let seen: AbortSignal | undefined
  beforeDeciding = (context) => {
    seen = context.signal
    return new Promise(() => {})
  }
  await expect(app.commands.execute(addLater(1), { deadline: new Date(Date.now() + 30) })).rejects.toMatchObject({
    code: 'COMMAND_EXPIRED',
  })
  expect(seen?.aborted).toBe(true)
  const controller = new AbortController()
  const pending = app.commands.execute(addLater(1), { signal: controller.signal })
  await vi.waitUntil(() => seen !== undefined)
  controller.abort()
  await expect(pending).rejects.toMatchObject({ code: 'COMMAND_ABORTED' })
  beforeDeciding = async () => {}
  expect((await app.aggregates.state(counter, '1')).version).toBe(0)
  expect((await app.commands.execute(add(1))).version).toBe(1)
  await app.stop()
})

test('an event of another aggregate is refused, and nothing is appended', async () => {
  const stranger = defineDecider<number, Message<'stranger.act', { id: string }>, Message<'stranger.acted'>>({
    category: 'stranger',
    commands: { 'stranger.act': {} },
    events: { 'stranger.acted': {} },
    identify: (command) => command.data.id,
    initial: () => 0,
    decide: () => ({ type: 'counter.added', data: { by: 1 } }) as never,
    evolve: (state) => state,
  })
  const app = await createApplication({ aggregates: [counter, stranger] })
  const failure = app.commands.execute({ type: 'stranger.act', data: { id: '1' } })
  await expect(failure).rejects.toMatchObject({
    code: 'EVENT_FOREIGN',
    message: expect.stringContaining('counter.added'),
  })
  expect((await app.aggregates.state(stranger, '1')).version).toBe(0)
  await app.stop()
})

test('middleware wraps commands outermost first, and may repeat them', async () => {
  const story: string[] = []
  const tell =
    (name: string): CommandMiddleware =>
    async (_command, next, info) => {
      story.push(`${name} before ${info.name}`)
      const result = await next()
      story.push(`${name} after version ${result.version}`)
      return result
    }
  const app = await createApplication({ aggregates: [counter], middleware: [tell('outer'), tell('inner')] })
  await app.commands.execute(add(1))
  expect(story).toEqual([
    'outer before counter.add',
    'inner before counter.add',
    'inner after version 1',
    'outer after version 1',
  ])
  await app.stop()
})

test('a Standard Schema lists its violations', async () => {
  const app = await createApplication({ aggregates: [counter] })
  await expect(app.commands.execute({ type: 'counter.add', data: { by: 0.5 } })).rejects.toMatchObject({
    code: 'COMMAND_INVALID',
    details: { violations: [{ path: 'id' }, { path: 'by' }] },
  })
  await expect(app.commands.execute({ type: 'counter.subtract' })).rejects.toMatchObject({ code: 'COMMAND_UNKNOWN' })
  await app.stop()
})

test('metadata flows from the request into the events', async () => {
  const app = await createApplication({ aggregates: [counter], eventStore: inMemoryEventStore() })
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  await runWithMetadata({ correlationId: 'story', traceparent }, async () => {
    await app.commands.execute(add(1), { commandId: 'one' })
    await app.commands.execute(add(1), { commandId: 'two', correlationId: 'other', causationId: 'one' })
    expect(currentMetadata().correlationId).toBe('story')
  })
  const history: object[] = []
  for await (const event of app.aggregates.history(counter, '1')) history.push(event.metadata)
  expect(history).toEqual([
    { commandId: 'one', correlationId: 'story', causationId: 'one', traceparent },
    { commandId: 'two', correlationId: 'other', causationId: 'one', traceparent },
  ])
  await app.stop()
})

async function appendDirectly(eventStore: EventStore, expectedVersion: number): Promise<void> {
  const id = crypto.randomUUID()
  const data = Buffer.from(JSON.stringify({ by: 100 }))
  const event = { id, type: 'counter.added', schemaVersion: 1, contentType: 'application/json', data }
  const metadata = { commandId: id, correlationId: id, causationId: id }
  expect(await eventStore.append('counter-1', [event], { expectedVersion, metadata })).toMatchObject({
    outcome: 'appended',
  })
}
