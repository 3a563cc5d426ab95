// What the embedded store is for: acknowledged is there, exactly once, however the process ended.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type EventStore, type OpenStorage, type RecordedEvent, silentLogger } from '@narrative/core'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { embeddedEventStore } from './embedded-event-store.js'

let directory: string
const children: ChildProcess[] = []
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'narrative-survival-'))
})
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  rmSync(directory, { recursive: true })
})

/** Runs the worker; `until` sees each whole line and says when it has been enough: then it is killed. */
function work(run: string, until: (line: string, count: number) => boolean, prefix: string[] = []): Promise<string[]> {
  const fixture = join(import.meta.dirname, 'embedded-worker.test-support.ts')
  const command = [...prefix, process.execPath, '--import', 'tsx', fixture, directory, run]
  const child = spawn(command[0]!, command.slice(1), { stdio: ['ignore', 'pipe', 'inherit'], cwd: import.meta.dirname })
  children.push(child)
  const lines: string[] = []
  let rest = ''
  child.stdout!.on('data', (chunk: Buffer) => {
    const parts = (rest + chunk).split('\n')
    rest = parts.pop()!
    for (const line of parts) {
      lines.push(line)
      if (until(line, lines.length)) child.kill('SIGKILL')
    }
  })
  return new Promise((resolve) => child.once('close', () => resolve(lines)))
}

const open = (logger = silentLogger) =>
  embeddedEventStore({ directory, partitions: 2 }).open({ categories: ['order'], logger })

async function readAll(store: EventStore, streamId: string): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = []
  for await (const event of store.read(streamId)) events.push(event)
  return events
}

async function readLog({ eventLog }: OpenStorage): Promise<RecordedEvent[]> {
  const ends = await eventLog.partitions('order')
  const done = new Set(ends.filter(({ end }) => end === 0).map(({ partition }) => partition))
  const events: RecordedEvent[] = []
  if (done.size === ends.length) return events
  for await (const batch of eventLog.subscribe({ categories: ['order'], from: 'start' })) {
    events.push(...batch.events)
    if (batch.checkpoint.offset >= ends[batch.partition]!.end) done.add(batch.partition)
    if (done.size === ends.length) break
  }
  return events
}

function append(store: EventStore, streamId: string, commandId: string, data = 'x') {
  const event = { id: commandId, type: 'order.placed', schemaVersion: 1, contentType: 'text/plain' }
  const metadata = { commandId, correlationId: commandId, causationId: commandId }
  return store.append(streamId, [{ ...event, data: Buffer.from(data) }], { expectedVersion: 'any', metadata })
}

test('killed under load, again and again: every acknowledged append is there exactly once, and nothing half', async () => {
  const acknowledged: string[] = []
  for (let round = 0; round < 5; round++) {
    acknowledged.push(...(await work(`r${round}`, (_, count) => count > 200 + round * 150)).slice(1))
  }
  expect(acknowledged.length).toBeGreaterThan(2_000)
  const warnings: string[] = []
  const store = await open({ ...silentLogger, warn: (_, message) => warnings.push(message) })
  // Linux alone tells whether the machine is still the same.
  if (process.platform === 'linux') expect(warnings.join()).not.toContain('made anew')
  const log = await readLog(store)
  const times = new Map<string, number>()
  for (const { metadata } of log) times.set(metadata.commandId, (times.get(metadata.commandId) ?? 0) + 1)
  for (const [commandId, count] of times) expect(count, commandId).toBe(2)
  for (const line of acknowledged) {
    const [streamId, commandId, version] = line.split(' ') as [string, string, string]
    const found = await store.eventStore.findCommand(streamId, commandId)
    expect(found, line).toMatchObject({ version: Number(version), firstVersion: Number(version) - 1 })
    expect(times.get(commandId), line).toBe(2)
  }
  for (let stream = 0; stream < 24; stream++) {
    const events = await readAll(store.eventStore, `order-${stream}`)
    expect(events.map(({ version }) => version)).toEqual(events.map((_, index) => index + 1))
    for (const { data, metadata } of events) expect(String(data)).toContain(`${metadata.commandId}/`)
  }
  await store.close()
}, 120_000)

test('a second process is refused while the first has it open, and let in when that one was killed', async () => {
  let other: string[] | undefined
  const first = await open()
  other = await work('second', () => true)
  expect(other[0]).toContain('DIRECTORY_IN_USE')
  expect(other[0]).toContain('is open already')
  await first.close()
  other = await work('third', (line) => line === 'open')
  expect(other[0]).toBe('open')
  const again = await open()
  await expect(embeddedEventStore({ directory }).open()).rejects.toMatchObject({ code: 'DIRECTORY_IN_USE' })
  await again.close()
}, 60_000)

test('a write cut short is dropped; damage before the end is refused, not dropped', async () => {
  const store = await open()
  for (let n = 0; n < 10; n++) await append(store.eventStore, 'order-1', `c${n}`, `event ${n}`)
  await store.close()
  const file = [0, 1].map((n) => join(directory, `embedded.order.events-${n}`, 'events')).find((f) => statSync(f).size)!
  const whole = readFileSync(file)
  // As if it had not been closed: the index does not count, all is read from the file.
  const crash = () => rmSync(join(file, '..', 'index-state'))

  crash()
  truncateSync(file, whole.length - 3)
  const torn = await open()
  expect((await readAll(torn.eventStore, 'order-1')).map(({ data }) => String(data))).toEqual(
    Array.from({ length: 9 }, (_, n) => `event ${n}`),
  )
  expect(await append(torn.eventStore, 'order-1', 'c9')).toMatchObject({ version: 10, duplicate: false })
  await torn.close()

  crash()
  const damaged = Buffer.from(whole)
  const at = damaged.indexOf('event 4')
  damaged[at] = 0x45
  writeFileSync(file, damaged)
  await expect(open()).rejects.toMatchObject({ code: 'LOG_CORRUPT' })
  writeFileSync(file, whole)
  const healed = await open()
  expect(await readAll(healed.eventStore, 'order-1')).toHaveLength(10)
  await healed.close()
})

test('a directory that is no directory of ours, or not the same, is refused with the reason', async () => {
  const store = await open()
  await store.close()
  await expect(embeddedEventStore({ directory, partitions: 3 }).open()).rejects.toMatchObject({
    code: 'DIRECTORY_INVALID',
    message: expect.stringContaining('partitions is 2, not 3'),
  })
  writeFileSync(join(directory, 'file'), '')
  await expect(embeddedEventStore({ directory: join(directory, 'file', 'x') }).open()).rejects.toMatchObject({
    code: 'DISK_FAILED',
  })
})

test.runIf(process.platform !== 'win32')(
  'a full disk: a clear error, and nothing acknowledged is lost',
  async () => {
    // A limit on the size of files stands for the end of the disk.
    const limited = ['sh', '-c', 'trap \'\' XFSZ; ulimit -f 300; exec "$@"', 'sh']
    const lines = await work('full', () => false, limited)
    expect(lines.at(-1)).toMatch(/^failed DISK_FAILED .*make room/)
    const store = await open()
    const acknowledged = lines.filter((line) => line.startsWith('order-'))
    expect(acknowledged.length).toBeGreaterThan(10)
    for (const line of acknowledged) {
      const [streamId, commandId] = line.split(' ') as [string, string]
      expect(await store.eventStore.findCommand(streamId, commandId), line).toBeDefined()
    }
    await store.close()
  },
  60_000,
)

test('streams longer than a chunk of the index, their commands, and checkpoints far back', async () => {
  const store = await open()
  for (let n = 0; n < 300; n++) await append(store.eventStore, 'order-long', `c${n % 290}-${n}`)
  await store.close()
  const again = await open()
  for (const n of [0, 63, 64, 65, 128, 255, 256, 299]) {
    const found = await again.eventStore.findCommand('order-long', `c${n % 290}-${n}`)
    expect(found).toMatchObject({ version: n + 1, firstVersion: n + 1 })
  }
  expect(await again.eventStore.findCommand('order-long', 'c1-2')).toBeUndefined()
  const events = await readAll(again.eventStore, 'order-long')
  expect(events.map(({ version }) => version)).toEqual(Array.from({ length: 300 }, (_, n) => n + 1))
  expect(await append(again.eventStore, 'order-long', 'next')).toMatchObject({ version: 301 })
  await again.close()
})
