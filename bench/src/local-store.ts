// What the files cost: the replica on disk while it catches up and when it opens, and the embedded store's appends.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLogger as logger, type RecordedEvent } from '@narrative/core'
import { embeddedEventStore, LocalPartition } from '@narrative/local-store'
import type { Bench, BenchRun } from './bench.js'

export const localStoreBench: Bench = {
  name: 'local-store',
  measures: 'the replica on disk, and appends to the embedded store, events of 300 B',
  async run(run) {
    const root = mkdtempSync(join(tmpdir(), 'narrative-bench-'))
    try {
      await replica(run, join(root, 'replica'))
      for (const fsync of [true, false]) {
        for (const callers of [1, 64]) await appends(run, join(root, `store-${fsync}-${callers}`), fsync, callers)
      }
    } finally {
      rmSync(root, { recursive: true })
    }
  },
}

const data = Buffer.alloc(300, 'x')
const topic = 'bench.order.events'
const perStream = 10
const perFetch = 2_000

async function replica({ quick, report, progress }: BenchRun, directory: string): Promise<void> {
  const count = quick ? 100_000 : 1_000_000
  const streams = count / perStream
  const open = () => LocalPartition.open({ directory, topic, partition: 0, sync: false, logger })
  const timed = async <T>(work: () => Promise<T>): Promise<[T, number]> => {
    const began = performance.now()
    const result = await work()
    return [result, performance.now() - began]
  }

  progress(`${count} events in ${streams} streams, every stream in turn`)
  const first = await open()
  const [, catchUp] = await timed(async () => {
    for (let at = 0; at < count; at += perFetch) {
      const events = Array.from({ length: perFetch }, (_, index) => anEvent(at + index, streams))
      first.apply(events, { offset: at + perFetch, claim: 'bench' })
      await first.room
    }
    await first.flush()
  })
  report({ name: 'local-store.catch-up', value: (count / catchUp) * 1000, unit: 'events/s' })
  report({ name: 'local-store.memory', value: process.memoryUsage.rss() / 2 ** 20, unit: 'MB' })
  await first.close()

  const [second, warm] = await timed(open)
  report({ name: 'local-store.open.closed-in-order', value: warm, unit: 'ms' })
  const reads = 5_000
  const [, reading] = await timed(async () => {
    for (let n = 0; n < reads; n++) for (const _ of second.read(streamOf((n * 7919) % streams), 1, perStream));
  })
  report({ name: 'local-store.read.10-events', value: reading / reads, unit: 'ms' })
  await second.close()

  rmSync(join(directory, 'index-state')) // as after a power failure
  const [third, cold] = await timed(open)
  report({ name: 'local-store.open.index-made-anew', value: cold, unit: 'ms' })
  await third.close()
}

async function appends(run: BenchRun, directory: string, fsync: boolean, callers: number): Promise<void> {
  const store = await embeddedEventStore({ directory, fsync }).open({ categories: ['order'], logger })
  const latencies: number[] = []
  const duration = run.quick ? 500 : 3_000
  const end = performance.now() + duration
  const caller = async (_: unknown, number: number) => {
    for (let n = 0; performance.now() < end; n++) {
      const commandId = `${number}-${n}`
      const event = { id: commandId, type: 'order.placed', schemaVersion: 1, contentType: 'application/json', data }
      const metadata = { commandId, correlationId: commandId, causationId: commandId }
      const began = performance.now()
      await store.eventStore.append(streamOf((number * 997 + n) % 2_000), [event], { expectedVersion: 'any', metadata })
      latencies.push(performance.now() - began)
    }
  }
  await Promise.all(Array.from({ length: callers }, caller))
  await store.close()
  latencies.sort((a, b) => a - b)
  const name = `local-store.append.${fsync ? 'fsync' : 'no-fsync'}.${callers}-caller${callers === 1 ? '' : 's'}`
  run.report({ name: `${name}.rate`, value: latencies.length / (duration / 1000), unit: 'appends/s' })
  run.report({ name: `${name}.p50`, value: latencies[latencies.length >> 1]!, unit: 'ms' })
  run.report({ name: `${name}.p99`, value: latencies[Math.floor(latencies.length * 0.99)]!, unit: 'ms' })
}

function streamOf(number: number): string {
  return `order-${(Math.imul(number, 2_654_435_761) >>> 0).toString(16).padStart(8, '0')}-0000-4000-8000-000000000000`
}

function anEvent(number: number, streams: number): RecordedEvent {
  const id = `${(Math.imul(number, 2_654_435_761) >>> 0).toString(16).padStart(8, '0')}-0000-4000-8000-000000000000`
  return {
    id,
    type: 'order.placed',
    schemaVersion: 1,
    contentType: 'application/json',
    data,
    streamId: streamOf(number % streams),
    version: Math.floor(number / streams) + 1,
    position: { topic, partition: 0, offset: number },
    time: 1_700_000_000_000,
    metadata: { commandId: id, correlationId: id, causationId: id },
  }
}
