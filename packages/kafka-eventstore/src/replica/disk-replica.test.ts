// The replica on disk, on a broker in memory: it spares reading, it is never believed against the log, and never needed.
import { execFile } from 'node:child_process'
import type * as FileSystem from 'node:fs'
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type Logger, type StorageContext, silentLogger, systemClock } from '@narrative/core'
import { eventLogContract, eventStoreContract } from '@narrative/testing'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { catchUp } from '../catch-up.js'
import { kafkaEventStore } from '../kafka-event-store.js'
import { MemoryBroker } from '../memory-broker.test-support.js'
import { anEvent, metadata } from '../store.test-support.js'
import { diskReplica } from './disk-replica.js'

const disk = vi.hoisted(() => ({ worn: false }))
vi.mock('node:fs', async (original) => {
  const system = await original<typeof FileSystem>()
  const readSync = (...args: Parameters<typeof system.readSync>) => {
    if (disk.worn) throw Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO' })
    return system.readSync(...args)
  }
  return { ...system, readSync }
})

let root: string
let warnings: string[]
let fetchedFrom: number[]
const logger: Logger = { ...silentLogger, warn: (_, message) => warnings.push(message) }
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'narrative-replica-'))
  warnings = []
  fetchedFrom = []
})
afterEach(() => rmSync(root, { recursive: true }))

async function open(broker: MemoryBroker, directory = root) {
  const driver = broker.driver()
  const watched = Object.assign(Object.create(driver), {
    fetch: (request: Parameters<typeof driver.fetch>[0]) => {
      if (request.topic === 'test.order.events') fetchedFrom.push(request.offset)
      return driver.fetch(request)
    },
  })
  const replica = diskReplica({ directory })
  const options = { brokers: [], context: 'test', partitions: 1, driver: () => watched, replica }
  const store = await kafkaEventStore(options).open({ categories: ['order'], clock: systemClock, logger })
  const write = (streamId: string, commandId: string) =>
    store.eventStore.append(streamId, [anEvent(commandId)], {
      expectedVersion: 'any',
      metadata: metadata(commandId),
    })
  const streamOf = async (streamId: string) => {
    const events: string[] = []
    for await (const event of store.eventStore.read(streamId)) events.push(`${event.version}:${event.data}`)
    return events
  }
  return Object.assign(store, { write, streamOf, driver: watched as typeof driver })
}

/** A log of twenty events, and the replica of it on the disk. */
async function written() {
  const broker = new MemoryBroker()
  const store = await open(broker)
  for (let n = 0; n < 20; n++) await store.write(`order-${n % 2}`, `c${n}`)
  await store.close()
  fetchedFrom = []
  return broker
}

const all = (stream: number, count = 10) => Array.from({ length: count }, (_, n) => `${n + 1}:c${2 * n + stream}`)
/** Where the log was read; its very first record alone is looked at by every start. */
const readBehind = () => Math.min(...fetchedFrom.filter((offset) => offset > 0))
const events = () => join(root, 'test.order.events-0', 'events')

describe('the event store on a broker in memory, its replica on disk', () => {
  let contracts: string
  beforeEach(() => {
    contracts = mkdtempSync(join(root, 'contract-'))
  })
  const fresh = () => {
    const driver = new MemoryBroker().driver()
    let opened = 0
    // Two openings side by side are two instances: each has a directory of its own.
    return {
      name: 'kafka',
      open: (context: StorageContext) => {
        const own = diskReplica({ directory: join(contracts, `${opened++}`) })
        const options = { brokers: [], context: 'test', driver: () => driver, replica: own }
        return kafkaEventStore(options).open(context)
      },
    }
  }
  for (const { name, run } of eventStoreContract) test(name, () => run(fresh))
  for (const { name, run } of eventLogContract) test(name, () => run(fresh))
})

test('a restart reads the log behind the newest event, and nothing before it', async () => {
  const store = await open(await written())
  expect(readBehind()).toBe(20) // the newest event itself: the proof
  expect(await store.streamOf('order-0')).toEqual(all(0))
  expect(await store.eventStore.findCommand('order-1', 'c19')).toMatchObject({ version: 10 })
  expect(await store.write('order-0', 'c0')).toMatchObject({ version: 1, duplicate: true })
  expect(await store.write('order-0', 'next')).toMatchObject({ version: 11, duplicate: false })
  expect(warnings).toEqual([])
  await store.close()
})

test('what others wrote meanwhile is read', async () => {
  const broker = await written()
  const elsewhere = await open(broker, join(root, 'elsewhere'))
  for (let n = 20; n < 30; n++) await elsewhere.write(`order-${n % 2}`, `c${n}`)
  await elsewhere.close()
  const store = await open(broker)
  expect(await store.streamOf('order-1')).toEqual(all(1, 15))
  expect(warnings).toEqual([])
  await store.close()
})

test.each<[string, () => void, RegExp]>([
  ['a byte of it changed', () => damage('c7'), /damaged/],
  ['it ends early', () => truncateSync(events(), 500), /ends at byte/],
  ['it is of another format', () => identity({ format: 99 }), /format 99/],
  ['it is of another topic', () => identity({ format: 1, topic: 'other', partition: 0 }), /other/],
  ['its identity is unreadable', () => writeFileSync(join(events(), '..', 'partition.json'), '{'), /JSON/],
])('%s: it is built again from the log, and says why', async (_, harm, why) => {
  const broker = await written()
  harm()
  const store = await open(broker)
  expect(warnings.find((warning) => warning.includes('thrown away'))).toMatch(why)
  expect(await store.streamOf('order-0')).toEqual(all(0))
  expect(await store.streamOf('order-1')).toEqual(all(1))
  await store.close()
  warnings = []
  const again = await open(broker)
  expect(warnings).toEqual([])
  expect(await again.streamOf('order-0')).toEqual(all(0))
  await again.close()
})

test('a damaged index is not even opened, but made anew from the events beside it', async () => {
  const broker = await written()
  writeFileSync(join(events(), '..', 'index', 'data.mdb'), 'x'.repeat(20_000))
  const store = await open(broker)
  expect(warnings.join()).toContain('its index is made anew')
  expect(readBehind()).toBe(20)
  expect(await store.streamOf('order-0')).toEqual(all(0))
  await store.close()
})

test('the log is another one, or shorter: the log is right', async () => {
  await written()
  const other = new MemoryBroker()
  const before = await open(other, join(root, 'elsewhere'))
  for (let n = 0; n < 25; n++) await before.write('order-0', `other${n}`)
  await before.close()
  const longer = await open(other)
  expect(warnings.join()).toContain('and the log does not')
  expect(await longer.streamOf('order-0')).toHaveLength(25)
  expect(await longer.streamOf('order-1')).toEqual([])
  await longer.close()
  warnings = []
  const shorter = await open(new MemoryBroker())
  expect(warnings.join()).toContain('the log ends at')
  expect(await shorter.streamOf('order-0')).toEqual([])
  await shorter.close()
})

test('a directory that cannot be written to is said plainly, and nothing is touched', async () => {
  writeFileSync(join(root, 'file'), '')
  const broker = new MemoryBroker()
  const opening = open(broker, join(root, 'file', 'below'))
  await expect(opening).rejects.toMatchObject({ code: 'DISK_FAILED', message: expect.stringContaining('below') })
  expect(broker.partition('test.order.events', 0).log).toHaveLength(0)
})

test('a record that was damaged since: whoever reads it is told to come again, and finds it built again from the log', async () => {
  const broker = await written()
  const bytes = readFileSync(events())
  bytes[bytes.indexOf('order-1')] = 0x21
  writeFileSync(events(), bytes) // closed in order, so nobody looks at it before it is read
  const store = await open(broker)
  expect(await store.streamOf('order-0')).toEqual(all(0))
  await expect(store.streamOf('order-1')).rejects.toMatchObject({ code: 'DISK_FAILED', retryable: true })
  expect(await store.streamOf('order-1')).toEqual(all(1))
  expect(warnings.join()).toContain('thrown away')
  expect(await store.write('order-1', 'next')).toMatchObject({ version: 11, duplicate: false })
  expect(store.health()).toEqual({ ready: true, reasons: [] })
  await store.close()
})

test('a record that the disk cannot give back: the replica is built again, once', async () => {
  const broker = await written()
  const store = await open(broker)
  disk.worn = true
  await expect(store.streamOf('order-1')).rejects.toMatchObject({ code: 'DISK_FAILED', retryable: true })
  disk.worn = false
  expect(await store.streamOf('order-1')).toEqual(all(1))
  expect(warnings.filter((each) => each.includes('thrown away'))).toEqual([expect.stringContaining('EIO')])
  expect(store.health()).toEqual({ ready: true, reasons: [] })
  await store.close()
})

test('damage that comes to light while an append is on its way: the append is acknowledged, and the replica made again', async () => {
  const broker = await written()
  const bytes = readFileSync(events())
  bytes[bytes.indexOf('order-1')] = 0x21
  writeFileSync(events(), bytes)
  const store = await open(broker)
  const copy = (await store.eventStore.readReplica!('order-1'))!
  store.driver.intercept = () => {
    store.driver.intercept = undefined
    expect(() => [...copy.events]).toThrow('damaged')
    return undefined
  }
  expect(await store.write('order-0', 'next')).toMatchObject({ version: 11, duplicate: false })
  expect(await store.streamOf('order-1')).toEqual(all(1))
  expect(warnings.join()).toContain('thrown away')
  expect(store.health()).toEqual({ ready: true, reasons: [] })
  await store.close()
})

test.runIf(process.platform !== 'win32')(
  'a full disk: the instance says so and serves the partition no longer, and another one has all that was acknowledged',
  async () => {
    const fixture = join(import.meta.dirname, 'full-disk.test-support.ts')
    // A limit on the size of files stands for the end of the disk; it holds for root, too.
    const limited = 'trap "" XFSZ; ulimit -f 1000; exec "$@"'
    const command = ['-c', limited, 'sh', process.execPath, '--import', 'tsx', fixture, join(root, 'full')]
    const { stdout } = await promisify(execFile)('bash', command, { cwd: import.meta.dirname, timeout: 60_000 })
    const said = JSON.parse(stdout)
    expect(said).toMatchObject({ state: 'lost', again: 'DISK_FAILED', goesOn: 'appended', found: said.acknowledged })
    expect(said.acknowledged).toBeGreaterThan(200)
    expect(said.reasons.join()).toMatch(/test.order.events\/0 is not served: .*make room/)
    // Nothing was refused that might have been written: what was on its way is unknown, what waited was not sent.
    for (const code of said.failures) expect(['OUTCOME_UNKNOWN', 'DISK_FAILED']).toContain(code)
  },
  90_000,
)

test('a partition that comes back while its last replica is still being closed waits for that one', async () => {
  const broker = await written()
  const storage = diskReplica({ directory: root })
  const place = { driver: broker.driver(), topic: 'test.order.events', partition: 0, logger }
  for (let round = 1; round <= 5; round++) {
    const elsewhere = await open(broker, join(root, 'elsewhere'))
    for (let n = 0; n < 20; n++) await elsewhere.write('order-0', `r${round}-${n}`)
    await elsewhere.close()
    const [lost, regained] = [storage.create(place), storage.create(place)]
    await lost.open!()
    const { end } = await place.driver.offsets(place.topic, 0)
    await catchUp({ ...place, replica: lost, onVoid: () => {} }, end)
    const closing = lost.close!() // what it has read is still to be written
    await regained.open!()
    expect(regained.version('order-0')).toBe(10 + round * 20)
    await closing
    await regained.close!()
  }
  expect(warnings).toEqual([])
})

test('two stores on one directory: the second is refused, and the first goes on', async () => {
  const broker = new MemoryBroker()
  const store = await open(broker)
  await expect(open(new MemoryBroker())).rejects.toMatchObject({ code: 'DIRECTORY_IN_USE' })
  expect(await store.write('order-1', 'c')).toMatchObject({ version: 1 })
  await store.close()
  expect(readdirSync(root)).not.toContain('lock')
})

function damage(text: string): void {
  const bytes = readFileSync(events())
  bytes[bytes.indexOf(text)] = 0x21
  writeFileSync(events(), bytes)
  rmSync(join(events(), '..', 'index-state')) // so that all of it is read
}

function identity(value: object): void {
  writeFileSync(join(events(), '..', 'partition.json'), JSON.stringify(value))
}
