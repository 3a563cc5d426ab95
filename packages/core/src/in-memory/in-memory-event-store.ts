// The adapter that needs nothing: streams, partitions, offsets and claims as on Kafka, in this process alone.
import { randomUUID } from 'node:crypto'
import { NarrativeError } from '../errors/narrative-error.js'
import { systemClock } from '../event-store/clock.js'
import type { EventLog } from '../event-store/event-log.js'
import type { EventStorage, OpenStorage, StorageContext } from '../event-store/event-storage.js'
import type { EventStore, ReadOptions } from '../event-store/event-store.js'
import type { RecordedEvent } from '../event-store/recorded-event.js'
import type { StreamId } from '../messages/stream-id.js'
import { InMemoryLog } from './in-memory-log.js'
import type { InMemoryPartition } from './in-memory-partition.js'

/** The shape of the log. */
export interface InMemoryEventStoreOptions {
  /** Partitions per category; default 4. */
  readonly partitions?: number
  /** First part of the topic names `<context>.<category>.events`; default `memory`. */
  readonly context?: string
}

/** An {@link EventStorage} that can be opened without a context, for scripts and tests. */
export interface InMemoryEventStorage extends EventStorage {
  open(context?: Partial<StorageContext>): Promise<OpenStorage>
}

/**
 * An event store in memory, for tests, demonstrations and first steps.
 *
 * The events belong to the returned value, not to one opening of it: close and open again and they are there, as
 * after a restart of a service. The newest opening owns all partitions; an older one answers `NOT_OWNER`, as on Kafka.
 * The bytes of events are kept, not copied.
 *
 * @example
 * ```ts
 * const app = await createApplication({ aggregates: [Order], eventStore: inMemoryEventStore() })
 * // or by itself
 * const { eventStore, eventLog, close } = await inMemoryEventStore().open()
 * ```
 */
export function inMemoryEventStore({
  partitions = 4,
  context = 'memory',
}: InMemoryEventStoreOptions = {}): InMemoryEventStorage {
  const log = new InMemoryLog(context, partitions)
  return {
    name: 'in-memory',
    open: async ({ categories = [], clock = systemClock } = {}) => {
      const owner = randomUUID()
      log.claim(categories, owner)
      const closing = new AbortController()
      const closed = closing.signal

      const owned = (streamId: StreamId): InMemoryPartition => {
        closed.throwIfAborted()
        const partition = log.partition(streamId, owner)
        if (partition.owner === owner) return partition
        throw new NarrativeError('NOT_OWNER', {
          message: `${partition.topic}/${partition.partition}, where ${streamId} lives, was taken over when the in-memory event store was opened again.`,
          details: { streamId, topic: partition.topic, partition: partition.partition },
        })
      }

      const eventStore: EventStore = {
        async append(streamId, events, options) {
          if (events.length === 0) throw new RangeError(`An append to ${streamId} needs at least one event.`)
          const result = owned(streamId).append(streamId, events, options, clock.now())
          if (result.outcome === 'appended' && !result.duplicate) log.ring()
          return result
        },
        read: (streamId, options) => readStream(() => owned(streamId).stream(streamId), options),
        findCommand: async (streamId, commandId) => owned(streamId).findCommand(streamId, commandId),
      }

      const eventLog: EventLog = {
        async partitions(category) {
          closed.throwIfAborted()
          return log
            .partitions(category, owner)
            .map(({ topic, partition, end }) => ({ topic, partition, start: 0, end }))
        },
        subscribe: (options) => log.subscribe(options, owner, closed),
      }

      return {
        eventStore,
        eventLog,
        health: () =>
          closed.aborted ? { ready: false, reasons: ['The event store was closed.'] } : { ready: true, reasons: [] },
        status: () => log.all().map((each) => each.status(closed.aborted ? 'closed' : stateFor(each, owner))),
        async close() {
          closing.abort(new NarrativeError('STORE_CLOSED', { message: 'The in-memory event store was closed.' }))
        },
      }
    },
  }
}

function stateFor(partition: InMemoryPartition, owner: string) {
  return partition.owner === owner ? 'serving' : 'elsewhere'
}

async function* readStream(
  stream: () => readonly RecordedEvent[],
  { from = 1, to = Number.POSITIVE_INFINITY, asOf = Number.POSITIVE_INFINITY }: ReadOptions = {},
): AsyncGenerator<RecordedEvent, void> {
  const events = stream()
  const last = Math.min(to, events.length)
  for (let version = Math.max(from, 1); version <= last; version++) {
    const event = events[version - 1]!
    if (event.time > asOf) return
    yield event
  }
}
