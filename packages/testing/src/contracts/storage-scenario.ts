// What the cases of the event store's and the event log's contracts do over and over.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import {
  type Appended,
  type AppendResult,
  type Checkpoint,
  type EventBatch,
  type EventStorage,
  type EventStore,
  type ExpectedVersion,
  isNarrativeError,
  type MessageMetadata,
  type NewEvent,
  type OpenStorage,
  type ReadOptions,
  type RecordedEvent,
  type SubscribeOptions,
  silentLogger,
} from '@narrative/core'
import { at, type SettableClock } from '../settable-clock.js'
import type { ContractCase } from './contract-case.js'

/** How long a case waits for what must come, milliseconds: generous, since nobody waits for it when all is well. */
const patience = 15_000

/** An open storage, and the means to speak to it briefly. */
export interface StorageScenario extends OpenStorage {
  readonly clock: SettableClock
  /** Appends events of these names (or this many), under a new command id unless one is given. */
  append(streamId: string, events: number | readonly NewEvent[], options?: AppendBriefly): Promise<AppendResult>
  /** The same, and it must not be a conflict. */
  appended(streamId: string, events: number | readonly NewEvent[], options?: AppendBriefly): Promise<Appended>
  readAll(streamId: string, options?: ReadOptions): Promise<RecordedEvent[]>
  /** Closes and opens again: another claim, the same log. */
  reopened(): Promise<StorageScenario>
  /** Another opening of the same log, beside this one. */
  beside(): Promise<StorageScenario>
}

interface AppendBriefly {
  readonly expectedVersion?: ExpectedVersion
  readonly commandId?: string
}

/** A case on an opened storage with the categories `order` and `customer`. Whatever it opened is closed. */
export function storageCase(
  name: string,
  body: (storage: StorageScenario) => Promise<void>,
): ContractCase<EventStorage> {
  return {
    name,
    async run(fresh) {
      const storage = await fresh()
      const clock = at('2026-01-01T00:00:00.000Z')
      const opened: OpenStorage[] = []
      const open = async (): Promise<StorageScenario> => {
        const context = { categories: ['order', 'customer'], clock, logger: silentLogger }
        const one = await storage.open(context)
        opened.push(one)
        return scenario(one, clock, open)
      }
      try {
        await body(await open())
      } finally {
        for (const one of opened) await one.close()
      }
    },
  }
}

function scenario(storage: OpenStorage, clock: SettableClock, open: () => Promise<StorageScenario>): StorageScenario {
  const { eventStore, eventLog } = storage
  const append: StorageScenario['append'] = (streamId, events, options = {}) =>
    eventStore.append(streamId, typeof events === 'number' ? someEvents(events) : events, {
      expectedVersion: options.expectedVersion ?? 'any',
      metadata: metadataOf(options.commandId ?? randomUUID()),
    })
  return {
    clock,
    eventStore,
    eventLog,
    health: () => storage.health(),
    status: () => storage.status(),
    close: () => storage.close(),
    append,
    appended: async (streamId, events, options) => mustAppend(await append(streamId, events, options)),
    readAll: (streamId, options) => all(eventStore, streamId, options),
    reopened: async () => {
      await storage.close()
      return open()
    },
    beside: open,
  }
}

/** Events that differ from each other. */
export function someEvents(count: number): NewEvent[] {
  return Array.from({ length: count }, (_, index) => anEvent({ data: { index } }))
}

export function anEvent({ type = 'order.placed', data = {} as unknown } = {}): NewEvent {
  const bytes = data instanceof Uint8Array ? data : new TextEncoder().encode(JSON.stringify(data))
  return { id: randomUUID(), type, schemaVersion: 1, contentType: 'application/json', data: bytes }
}

export function metadataOf(commandId: string): MessageMetadata {
  return { commandId, correlationId: `correlation of ${commandId}`, causationId: commandId }
}

export function mustAppend(result: AppendResult): Appended {
  if (result.outcome === 'conflict')
    assert.fail(`Expected an append, got a conflict at version ${result.actualVersion}.`)
  return result
}

async function all(store: EventStore, streamId: string, options?: ReadOptions): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = []
  for await (const event of store.read(streamId, options)) events.push(event)
  return events
}

/** Reads the log until `enough` says so, then leaves the subscription. */
export async function subscribeUntil(
  storage: OpenStorage,
  options: SubscribeOptions,
  enough: (events: readonly RecordedEvent[], batches: readonly EventBatch[]) => boolean,
): Promise<{ readonly events: readonly RecordedEvent[]; readonly batches: readonly EventBatch[] }> {
  const events: RecordedEvent[] = []
  const batches: EventBatch[] = []
  const lost = AbortSignal.timeout(patience)
  const signal = options.signal === undefined ? lost : AbortSignal.any([lost, options.signal])
  for await (const batch of storage.eventLog.subscribe({ ...options, signal })) {
    batches.push(batch)
    events.push(...batch.events)
    if (enough(events, batches)) return { events, batches }
  }
  return assert.fail(
    `The subscription gave ${events.length} events in ${batches.length} batches in ${patience} ms, and that was not all: ${ids(events)}.`,
  )
}

/** Reads these categories from the start to the ends their partitions have now. */
export async function readWholeLog(storage: OpenStorage, categories: readonly string[] = ['order', 'customer']) {
  const partitions = (await Promise.all(categories.map((category) => storage.eventLog.partitions(category)))).flat()
  const open = new Map(partitions.filter(({ end }) => end > 0).map((one) => [`${one.topic}/${one.partition}`, one.end]))
  if (open.size === 0) return { events: [], batches: [] }
  return subscribeUntil(storage, { categories, from: 'start' }, (_, batches) => {
    const { topic, partition, checkpoint } = batches.at(-1)!
    const key = `${topic}/${partition}`
    if (checkpoint.offset >= (open.get(key) ?? 0)) open.delete(key)
    return open.size === 0
  })
}

/** The newest checkpoint of every partition. */
export function checkpointsAfter(batches: readonly EventBatch[]): Checkpoint[] {
  const newest = new Map<string, Checkpoint>()
  for (const { checkpoint } of batches) newest.set(`${checkpoint.topic}/${checkpoint.partition}`, checkpoint)
  return [...newest.values()]
}

/** Fails when a promise that must settle does not. */
export async function inTime<T>(promise: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new assert.AssertionError({ message: `${what} did not happen in ${patience} ms.` })),
      patience,
    )
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

/** `order-1@3` for each event. */
export function ids(events: readonly RecordedEvent[]): string[] {
  return events.map((event) => `${event.streamId}@${event.version}`)
}

/** For `assert.rejects`. */
export function withCode(...codes: Parameters<typeof isNarrativeError>[1][]): (error: unknown) => true {
  return (error) => {
    const code = isNarrativeError(error) ? error.code : undefined
    assert.ok(
      code !== undefined && codes.includes(code),
      `Expected an error of code ${codes.join(' or ')}, got ${String(error)}`,
    )
    return true
  }
}
