// The order of things in an append: written, synced, seen, answered. The system's calls are held back one by one.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { EventStore } from '@narrative/core'
import { afterAll, expect, test, vi } from 'vitest'
import { embeddedEventStore } from './embedded-event-store.js'

/** Calls that wait to be let through, while anybody holds them. */
const calls = vi.hoisted(() => ({ held: false, waiting: [] as { name: string; go: () => void }[] }))

vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>()
  const { promisify } = await import('node:util')
  const holding = <F extends (...args: never[]) => unknown>(name: string, call: F) => {
    const promised = promisify(call as never) as (...args: unknown[]) => Promise<unknown>
    const held = async (...args: unknown[]) => {
      if (calls.held) await new Promise<void>((go) => calls.waiting.push({ name, go }))
      return promised(...args)
    }
    return Object.assign((...args: never[]) => call(...args), { [promisify.custom]: held })
  }
  return { ...fs, write: holding('write', fs.write), fdatasync: holding('fdatasync', fs.fdatasync) }
})

const directory = mkdtempSync(join(tmpdir(), 'narrative-order-'))
afterAll(() => rmSync(directory, { recursive: true }))

async function seen(store: EventStore): Promise<number> {
  let count = 0
  for await (const _ of store.read('order-1')) count++
  return count
}

test('an append is answered, and seen by anybody, only when it was written and synced', async () => {
  const { eventStore, close } = await embeddedEventStore({ directory }).open({ categories: ['order'] })
  const metadata = { commandId: 'c', correlationId: 'c', causationId: 'c' }
  const event = { id: 'e', type: 'order.placed', schemaVersion: 1, contentType: 'text/plain', data: Buffer.from('x') }
  let answered = false
  calls.held = true
  const append = eventStore.append('order-1', [event], { expectedVersion: 0, metadata }).then(() => {
    answered = true
  })
  for (const name of ['write', 'fdatasync']) {
    await vi.waitFor(() => expect(calls.waiting.map((call) => call.name)).toEqual([name]), 20_000)
    expect({ answered, seen: await seen(eventStore) }).toEqual({ answered: false, seen: 0 })
    expect(await eventStore.findCommand('order-1', 'c')).toBeUndefined()
    calls.waiting.shift()!.go()
  }
  await append
  expect(await seen(eventStore)).toBe(1)
  calls.held = false
  await close()
})
