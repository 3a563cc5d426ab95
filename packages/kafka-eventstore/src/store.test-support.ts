// Opens stores on a broker in memory, and says briefly what tests say over and over.
import { randomUUID } from 'node:crypto'
import {
  type AppendOptions,
  type AppendResult,
  type EventBatch,
  isNarrativeError,
  type Logger,
  type NewEvent,
  type OpenStorage,
  type RecordedEvent,
  silentLogger,
  systemClock,
} from '@narrative/core'
import { kafkaEventStore } from './kafka-event-store.js'
import type { Intercept, MemoryBroker } from './memory-broker.test-support.js'
import type { ReplicaStorage } from './replica/replica.js'
import { parseStamp, stampHeader } from './stamp.js'

/** The one partition these tests play on. */
export const topic = 'test.order.events'

export interface OpenedStore extends OpenStorage {
  /** Set it to meddle with what is produced from now on. */
  intercept: Intercept | undefined
  write(streamId: string, expectedVersion?: AppendOptions['expectedVersion'], commandId?: string): Promise<AppendResult>
}

export async function openStore(
  broker: MemoryBroker,
  options: {
    readonly appendTimeout?: number
    readonly intercept?: Intercept
    readonly logger?: Logger
    readonly replica?: ReplicaStorage
  } = {},
): Promise<OpenedStore> {
  const driver = broker.driver(options.intercept)
  const { appendTimeout, logger = silentLogger, replica } = options
  const store = await kafkaEventStore({
    brokers: [],
    context: 'test',
    partitions: 1,
    driver: () => driver,
    appendTimeout,
    replica,
  }).open({
    categories: ['order'],
    clock: systemClock,
    logger,
  })
  return Object.defineProperty(
    Object.assign(store, {
      write: (streamId: string, expectedVersion: AppendOptions['expectedVersion'] = 'any', commandId = randomUUID()) =>
        store.eventStore.append(streamId, [anEvent()], { expectedVersion, metadata: metadata(commandId) }),
    }),
    'intercept',
    { set: (intercept: Intercept | undefined) => (driver.intercept = intercept) },
  ) as unknown as OpenedStore
}

export function anEvent(data: string | Uint8Array = '{}'): NewEvent {
  const bytes = typeof data === 'string' ? Buffer.from(data) : data
  return { id: randomUUID(), type: 'order.placed', schemaVersion: 1, contentType: 'application/json', data: bytes }
}

export function metadata(commandId: string) {
  return { commandId, correlationId: commandId, causationId: commandId }
}

/** Everything a fresh reader of the log finds, up to its end. */
export async function readLog(broker: MemoryBroker, store: OpenStorage): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = []
  const end = broker.partition(topic, 0).log.length
  if (end === 0) return events
  const done = (batch: EventBatch) => batch.checkpoint.offset >= end
  for await (const batch of store.eventLog.subscribe({ categories: ['order'], from: 'start' })) {
    events.push(...batch.events)
    if (done(batch)) break
  }
  return events
}

/** The claims in the log, in order; one that is written once more is none. */
export function claimsIn(broker: MemoryBroker): string[] {
  const claims = broker.partition(topic, 0).log.flatMap(({ headers }) => {
    const stamp = parseStamp(String(headers.find(({ key }) => key === stampHeader)?.value))
    return stamp !== undefined && 'partitions' in stamp ? [stamp.claim] : []
  })
  return [...new Set(claims)]
}

/** The code of the error a promise is rejected with. */
export async function codeOf(promise: Promise<unknown>): Promise<string | undefined> {
  try {
    await promise
    return undefined
  } catch (error) {
    return isNarrativeError(error) ? error.code : String(error)
  }
}

/** A condition that tests wait for. */
export async function until(condition: () => boolean): Promise<void> {
  const end = performance.now() + 20_000
  while (!condition()) {
    if (performance.now() > end) throw new Error('the condition did not come true in 20 s')
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}
