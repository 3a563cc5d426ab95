// Looking into streams, events and the project itself, on a directory.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { EventStorage } from '@narrative/core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Ended, narrative, recordsIn } from '../cli.test-support.js'
import { fillShop, shopIn, shopOn } from './shop.test-support.js'

const directory = mkdtempSync(join(tmpdir(), 'narrative-cli-'))
const run = (...args: string[]): Promise<Ended> => narrative(args, shopIn(directory))
const records = async (...args: string[]) => recordsIn(await run(...args, '--json'))

beforeAll(() => fillShop(directory))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

test('streams list', async () => {
  expect((await run('streams', 'list')).out).toMatchInlineSnapshot(`
    "STREAM   VERSION  LAST EVENT       TIME
    order-1        2  order.cancelled  2026-11-21T14:00:00.000Z
    order-2        1  order.placed     2026-11-21T13:00:00.000Z
    "
  `)
  expect(await records('streams', 'list', 'order', '--prefix', '2')).toEqual([
    { streamId: 'order-2', version: 1, lastEvent: 'order.placed', time: '2026-11-21T13:00:00.000Z' },
  ])
  const { code, err } = await run('streams', 'list', 'invoice')
  expect(code).toBe(3)
  expect(err).toContain('Known: order.')
})

test('streams read', async () => {
  expect((await run('streams', 'read', 'order-1')).out).toMatchInlineSnapshot(`
    "VERSION  TIME                      EVENT            DATA
          1  2026-11-21T12:00:00.000Z  order.placed     {"orderId":"1","total":10}
          2  2026-11-21T14:00:00.000Z  order.cancelled  {"orderId":"1"}
    "
  `)
  expect(await records('streams', 'read', 'order-2')).toEqual([
    {
      streamId: 'order-2',
      version: 1,
      type: 'order.placed',
      schemaVersion: 1,
      time: '2026-11-21T13:00:00.000Z',
      position: 'shop.order.events/0@1',
      id: expect.any(String),
      contentType: 'application/json',
      data: { orderId: '2', total: 20 },
      metadata: expect.objectContaining({ commandId: expect.any(String) }),
    },
  ])
})

test.each([['order-9'], ['invoice-1'], ['order']])(
  'a stream %s that is not there is 3, with what to do',
  async (stream) => {
    for (const verb of ['read', 'state']) {
      const { code, out, err } = await run('streams', verb, stream)
      expect({ code, out }).toEqual({ code: 3, out: '' })
      expect(err).toMatch(/narrative streams list|Known: order/)
    }
  },
)

test('with --json an error is an object, too', async () => {
  const { code, err } = await run('streams', 'read', 'order-9', '--json')
  expect(code).toBe(3)
  expect(JSON.parse(err)).toEqual({ error: { message: expect.stringContaining('order-9'), exitCode: 3 } })
})

test('streams state: now, at a version, at an instant', async () => {
  expect((await run('streams', 'state', 'order-1')).out).toMatchInlineSnapshot(`
    "order-1 at version 2
    Order {
      status: 'cancelled',
      notes: Map(1) {
        'total' => 10
      }
    }
    "
  `)
  const at = (...asOf: string[]) => records('streams', 'state', 'order-1', ...asOf)
  expect(await at()).toEqual([
    { streamId: 'order-1', version: 2, state: { status: 'cancelled', notes: { total: 10 } } },
  ])
  expect(await at('--as-of', '1')).toMatchObject([{ version: 1, state: { status: 'placed' } }])
  expect(await at('--as-of', '2026-11-21T13:59:00+01:00')).toMatchObject([{ version: 1 }])
  const before = await run('streams', 'state', 'order-1', '--as-of', '2026-11-21T11:59:59Z')
  expect(before.code).toBe(3)
  expect(before.err).toContain('no stream order-1 at that time')
})

test('events tail: from where, and which', async () => {
  expect((await run('events', 'tail', '--from', 'start', '--no-follow')).out).toMatchInlineSnapshot(`
    "2026-11-21T12:00:00.000Z  order-1 v1  order.placed  {"orderId":"1","total":10}
    2026-11-21T13:00:00.000Z  order-2 v1  order.placed  {"orderId":"2","total":20}
    2026-11-21T14:00:00.000Z  order-1 v2  order.cancelled  {"orderId":"1"}
    "
  `)
  const tail = async (...options: string[]) =>
    (await records('events', 'tail', 'order', ...options)).map(({ position }) => position.split('@')[1])
  expect(await tail('--from', 'start', '--no-follow')).toEqual(['0', '1', '2'])
  expect(await tail('--from', 'start', '--limit', '2')).toEqual(['0', '1'])
  expect(await tail('--from', 'shop.order.events/0@1', '--no-follow')).toEqual(['1', '2'])
  expect(await tail('--from', 'shop.order.events/0@3', '--no-follow')).toEqual([])
  expect((await run('events', 'tail', '--from', 'shop.order.events/0@99')).err).toContain('LOG_TRUNCATED')
  expect(await tail('--from', '2026-11-21T13:00:00Z', '--no-follow')).toEqual(['1', '2'])
  expect(await tail('--from', 'start', '--no-follow', '--stream', 'order-1')).toEqual(['0', '2'])
  expect(await tail('--from', 'start', '--no-follow', '--type', 'order.cancelled')).toEqual(['2'])
  const both = ['--type', 'order.cancelled', '--type', 'order.placed']
  expect(await tail('--from', 'start', '--no-follow', ...both)).toHaveLength(3)
  const elsewhere = await run('events', 'tail', '--from', 'shop.invoice.events/0@1')
  expect({ code: elsewhere.code, out: elsewhere.out }).toEqual({ code: 3, out: '' })
  expect((await run('events', 'tail', '--no-follow')).code).toBe(2)
})

test('doctor', async () => {
  const found = await records('doctor')
  expect(found.map(({ state, subject }) => `${state} ${subject}`)).toEqual([
    'ok Node',
    'ok @narrative packages',
    'ok configuration',
    'ok event store embedded',
  ])
  const faulty = await narrative(['doctor'], { ...shopIn(directory), aggregates: [class Unmarked {}], projections: [] })
  expect(faulty.code).toBe(3)
  expect(faulty.out).toMatch(/✗ configuration .*Class Unmarked is not marked with @Aggregate/)
  expect(faulty.err).toMatch(/narrative: \d things are at fault/)
  const unreachable = await narrative(['doctor'], shopOn(['127.0.0.1:1']))
  expect(unreachable.code).toBe(3)
  expect(unreachable.out).toMatch(/✗ Kafka .*127\.0\.0\.1:1/)
  expect(unreachable.err).toContain('One thing is at fault.')
})

test('brokers that are not there are a failure, and no stack', async () => {
  const { code, err } = await narrative(['streams', 'list'], shopOn(['127.0.0.1:1']))
  expect(code).toBe(1)
  expect(err).toMatch(/127\.0\.0\.1:1.*\(BROKER_UNREACHABLE\)/s)
  expect(err).not.toMatch(/^ +at /m)
})

test('projections list', async () => {
  expect(await records('projections', 'list')).toEqual([
    { projection: 'orders-view', follows: ['order'], keeps: 'table orders' },
  ])
})

test('projections rebuild: what is not there, and what the service keeps in its memory', async () => {
  const unknown = await run('projections', 'rebuild', 'nothing')
  expect(unknown.code).toBe(3)
  expect(unknown.err).toContain('Known: orders-view.')
  const inMemory = await run('projections', 'rebuild', 'orders-view')
  expect(inMemory.code).toBe(2)
  expect(inMemory.err).toContain('in the memory of the service')
})

test('dead-letters: which must be said', async () => {
  for (const options of [[], ['--all', '--key', '1']]) {
    const { code, err } = await run('dead-letters', 'redrive', 'orders-view', ...options)
    expect(code).toBe(2)
    expect(err).toContain('one of --key <key>, --position <position> and --all')
  }
})

test('what the service keeps in its memory is not looked after from outside', async () => {
  for (const args of [
    ['projections', 'status'],
    ['dead-letters', 'list'],
  ]) {
    expect(await run(...args)).toMatchObject({ code: 0, out: '' })
    expect((await run(...args, 'orders-view')).code).toBe(2)
  }
})

test('whatever is asked, the event store is opened for no categories: nothing can be claimed', async () => {
  const opened: (readonly string[])[] = []
  const config = shopIn(directory)
  const eventStore: EventStorage = {
    name: 'watched',
    open(context) {
      opened.push(context.categories)
      return config.eventStore.open(context)
    },
  }
  for (const args of [['doctor'], ['streams', 'list'], ['events', 'tail', '--from', 'start', '--no-follow']])
    expect((await narrative(args, { ...config, eventStore })).code).toBe(0)
  expect(opened).toEqual([[], [], []])
})
