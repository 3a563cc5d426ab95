// The command as a process, in a project in TypeScript: how it ends, and what it leaves.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { recordsIn } from './cli.test-support.js'
import { CliProcess, narrativeProcess } from './cli-process.test-support.js'
import { fillShop } from './commands/shop.test-support.js'

const directory = mkdtempSync(join(tmpdir(), 'narrative-cli-'))
const env = { SHOP_DIRECTORY: directory }
/** In the directory while a store is open; a process that ends without closing it leaves it behind. */
const lock = 'lock'
const run = (...args: string[]) => narrativeProcess(args, { env })

beforeAll(() => fillShop(directory))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

test('0: the past of an aggregate, folded by classes in TypeScript with decorators', async () => {
  const ended = await run('streams', 'state', 'order-1', '--as-of', '1', '--json')
  expect({ ...ended, out: recordsIn(ended) }).toEqual({
    code: 0,
    out: [{ streamId: 'order-1', version: 1, state: { status: 'placed', notes: { total: 10 } } }],
    err: '',
  })
})

test('1: brokers that are not there', async () => {
  const { code, err } = await narrativeProcess(['streams', 'list'], { env: { SHOP_BROKERS: '127.0.0.1:1' } })
  expect(code).toBe(1)
  expect(err).toContain('127.0.0.1:1')
})

test('2: an option that is not there; nothing is opened for it', async () => {
  const { code, out, err } = await run('streams', 'list', '--prefixes', '1')
  expect({ code, out }).toEqual({ code: 2, out: '' })
  expect(err).toContain('Did you mean --prefix?')
})

test('3: a stream that is not there', async () => {
  const { code, out, err } = await run('streams', 'read', 'order-9', '--json')
  expect({ code, out }).toEqual({ code: 3, out: '' })
  expect(JSON.parse(err)).toEqual({ error: { message: expect.stringContaining('order-9'), exitCode: 3 } })
})

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('%s ends a tail in order', async (signal, code) => {
  const tail = new CliProcess(['events', 'tail', '--from', 'start'], { env })
  await expect.poll(() => tail.out, { timeout: 20_000 }).toContain('order.cancelled')
  tail.child.kill(signal)
  expect(await tail.ended).toBe(code)
  expect(tail.err).toBe('')
  expect(readdirSync(directory)).not.toContain(lock)
})

test('a reader that goes away ends it in order, without a word', async () => {
  const tail = new CliProcess(['events', 'tail', '--from', 'start'], { env })
  tail.child.stdout?.destroy()
  expect(await tail.ended).toBe(141)
  expect(tail.err).toBe('')
  expect(readdirSync(directory)).not.toContain(lock)
})

test('a directory that another process has open is said plainly', async () => {
  const tail = new CliProcess(['events', 'tail', '--from', 'start'], { env })
  await expect.poll(() => tail.out, { timeout: 20_000 }).toContain('order.cancelled')
  const { code, err } = await run('streams', 'list')
  expect(readdirSync(directory)).toContain(lock)
  expect(code).toBe(1)
  expect(err).toContain('DIRECTORY_IN_USE')
  expect(err).not.toMatch(/^ +at /m)
  tail.child.kill('SIGINT')
  await tail.ended
})

test('colour is for a terminal alone', async () => {
  expect((await run('streams', 'read', 'order-1')).out).not.toContain('\u001b')
})
