// The event store without a broker: partitions in a directory, one process, the ports as on Kafka.
import { existsSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  aggregateIdOf,
  type Clock,
  categoryOf,
  type EventLog,
  type EventStorage,
  type EventStore,
  isCategory,
  type Logger,
  NarrativeError,
  type OpenStorage,
  type ReadOptions,
  type RecordedEvent,
  type SnapshotStore,
  type StorageContext,
  type StreamId,
  silentLogger,
  systemClock,
} from '@narrative/core'
import { lockDirectory, type Unlock } from './directory-lock.js'
import { directoryInvalid, diskFailed } from './disk-error.js'
import { Bell, firstOffset, follow } from './embedded-log.js'
import { EmbeddedPartition } from './embedded-partition.js'
import { maxStreamIdBytes } from './index-keys.js'
import { LocalPartition } from './local-partition.js'
import { hashOf } from './record-codec.js'

/** Where events are kept, and how surely. */
export interface EmbeddedEventStoreOptions {
  /** Created when it does not exist. One process at a time; a local file system. */
  readonly directory: string
  /** First part of the topic names `<context>.<category>.events`; default `embedded`. */
  readonly context?: string
  /** Partitions per category; default 1: then all commands of a category share the syncs. Fixed for the life of the directory. */
  readonly partitions?: number
  /**
   * Default true: an append is answered when it is on the disk, and outlives a power failure.
   * False: when it is with the operating system; it outlives the process, however that ends, but not the machine.
   */
  readonly fsync?: boolean
}

/** An {@link EventStorage} that can be opened without a context, for scripts and tests. */
export interface EmbeddedEventStorage extends EventStorage {
  open(context?: Partial<StorageContext>): Promise<OpenStorage>
}

/**
 * A durable event store in a directory: nothing but Node is needed.
 *
 * What was acknowledged survives the end of the process, kill -9 included. Opened twice by one value, the newest opening
 * owns it and the older one answers `NOT_OWNER`, as on Kafka.
 *
 * @throws NarrativeError from `open`: `DIRECTORY_IN_USE`, `DIRECTORY_INVALID`, `DISK_FAILED`, `LOG_CORRUPT`
 * @example
 * ```ts
 * const app = await createApplication({ aggregates: [Order], eventStore: embeddedEventStore({ directory: 'data' }) })
 * ```
 */
export function embeddedEventStore(options: EmbeddedEventStoreOptions): EmbeddedEventStorage {
  const { directory, context = 'embedded', partitions = 1, fsync = true } = options
  if (!Number.isInteger(partitions) || partitions < 1) throw new RangeError('partitions must be a whole number from 1')
  let shared: EmbeddedDirectory | undefined
  let queue: Promise<unknown> = Promise.resolve()
  /** Openings and closings one after the other: the directory is opened with the first and closed with the last. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = queue.then(work)
    queue = done.catch(() => {})
    return done
  }
  return {
    name: 'embedded',
    open: ({ categories = [], clock = systemClock, logger = silentLogger } = {}) =>
      inTurn(async () => {
        const data = shared ?? (await EmbeddedDirectory.open({ directory, context, partitions, fsync }, logger))
        shared = data
        data.openings++
        const release = () =>
          inTurn(async () => {
            if (--data.openings > 0) return
            shared = undefined
            await data.close()
          })
        try {
          for (const category of categories) await data.category(category)
        } catch (error) {
          data.openings--
          if (data.openings === 0) {
            shared = undefined
            await data.close()
          }
          throw error
        }
        const opening = {}
        data.owner = opening
        data.clock = clock
        return openStorage(data, opening, release)
      }),
  }
}

function openStorage(data: EmbeddedDirectory, opening: object, release: () => Promise<void>): OpenStorage {
  const closing = new AbortController()
  const closed = closing.signal
  const under = new Set<Promise<unknown>>()
  let released: Promise<void> | undefined

  const partitionFor = async (streamId: StreamId): Promise<EmbeddedPartition> => {
    closed.throwIfAborted()
    if (data.owner !== opening) {
      throw new NarrativeError('NOT_OWNER', {
        message: `${streamId} is not served by this opening of ${data.directory} any more: it was opened again.`,
        details: { streamId },
      })
    }
    const partitions = await data.category(checked(streamId))
    return partitions[hashOf(streamId) % partitions.length]!
  }
  const tracked = <T>(work: Promise<T>): Promise<T> => {
    under.add(work)
    const done = () => under.delete(work)
    work.then(done, done)
    return work
  }

  const eventStore: EventStore = {
    async append(streamId, events, options) {
      if (events.length === 0) throw new RangeError(`An append to ${streamId} needs at least one event.`)
      return tracked(partitionFor(streamId).then((partition) => partition.append(streamId, events, options)))
    },
    read: (streamId, options) => readStream(() => partitionFor(streamId), streamId, options),
    findCommand: async (streamId, commandId) => (await partitionFor(streamId)).store.findCommand(streamId, commandId),
  }

  const eventLog: EventLog = {
    async partitions(category) {
      closed.throwIfAborted()
      const stores = (await data.category(category)).map(({ store }) => store)
      return stores.map(({ topic, partition, point }) => ({ topic, partition, start: 0, end: point.offset }))
    },
    async *subscribe(options) {
      closed.throwIfAborted()
      const all = (await Promise.all(options.categories.map((category) => data.category(category)))).flat()
      const stores = all
        .map(({ store }) => store)
        .filter(({ partition }) => options.partitions?.includes(partition) ?? true)
      const starts = stores.map((store) => firstOffset(store, options.from))
      yield* follow(stores, starts, options, data.bell, closed)
    },
  }

  return {
    eventStore,
    eventLog,
    snapshots: {
      load: (streamId) => data.snapshots(streamId)?.load(streamId),
      save: (streamId, snapshot) => data.snapshots(streamId)?.save(streamId, snapshot),
      discard: (streamId) => data.snapshots(streamId)?.discard(streamId),
    },
    health() {
      if (closed.aborted) return { ready: false, reasons: ['The event store was closed.'] }
      const reasons = data.stores.flatMap(({ failure }) => failure?.message ?? [])
      return { ready: reasons.length === 0, reasons }
    },
    status: () =>
      data.partitions.map((partition) => {
        if (closed.aborted) return partition.status('closed')
        return partition.status(data.owner === opening ? 'serving' : 'elsewhere')
      }),
    close() {
      closing.abort(new NarrativeError('STORE_CLOSED', { message: `The event store in ${data.directory} was closed.` }))
      released ??= Promise.allSettled(under).then(release)
      return released
    },
  }
}

async function* readStream(
  partition: () => Promise<EmbeddedPartition>,
  streamId: StreamId,
  { from = 1, to = Number.POSITIVE_INFINITY, asOf = Number.POSITIVE_INFINITY }: ReadOptions = {},
): AsyncGenerator<RecordedEvent, void> {
  const { store } = await partition()
  for (const event of store.read(streamId, from, to)) {
    if (event.time > asOf) return // times never decrease
    yield event
  }
}

function checked(streamId: StreamId): string {
  const category = categoryOf(streamId)
  if (isCategory(category) && aggregateIdOf(streamId) !== '' && Buffer.byteLength(streamId) <= maxStreamIdBytes) {
    return category
  }
  throw new NarrativeError('STREAM_ID_INVALID', {
    message: `${streamId.slice(0, 200)} is no stream id: a category, a hyphen and an id of at most ${maxStreamIdBytes} bytes in all.`,
    details: { streamId: streamId.slice(0, 200) },
  })
}

/** A directory that this process has open. */
class EmbeddedDirectory {
  readonly bell = new Bell()
  clock: Clock = systemClock
  /** The opening that may append. */
  owner: object | undefined
  openings = 0
  readonly #categories = new Map<string, Promise<readonly EmbeddedPartition[]>>()
  readonly #open: EmbeddedPartition[] = []
  /** Partitions by category, once they are open. */
  readonly #opened = new Map<string, readonly EmbeddedPartition[]>()

  static async open(options: Required<EmbeddedEventStoreOptions>, logger: Logger): Promise<EmbeddedDirectory> {
    let unlock: Unlock | undefined
    try {
      mkdirSync(options.directory, { recursive: true })
      const directory = realpathSync(options.directory)
      unlock = await lockDirectory(directory)
      checkShape(directory, options)
      return new EmbeddedDirectory({ ...options, directory }, logger, unlock)
    } catch (error) {
      await unlock?.()
      throw diskFailed('Opening the event store', options.directory, error)
    }
  }

  private constructor(
    private readonly options: Required<EmbeddedEventStoreOptions>,
    private readonly logger: Logger,
    private readonly unlock: Unlock,
  ) {}

  get directory(): string {
    return this.options.directory
  }

  get partitions(): readonly EmbeddedPartition[] {
    return this.#open
  }

  get stores(): readonly LocalPartition[] {
    return this.#open.map(({ store }) => store)
  }

  /** The partitions of a category, opened when they are first asked for. */
  category(category: string): Promise<readonly EmbeddedPartition[]> {
    const known = this.#categories.get(category)
    if (known !== undefined) return known
    const opened = this.#openCategory(category)
    this.#categories.set(category, opened)
    opened.then(
      (partitions) => this.#opened.set(category, partitions),
      () => this.#categories.delete(category),
    )
    return opened
  }

  /** None of a category that nobody has read or written yet. */
  snapshots(streamId: StreamId): SnapshotStore | undefined {
    const partitions = this.#opened.get(categoryOf(streamId)) ?? []
    return partitions[hashOf(streamId) % partitions.length]?.store.snapshots
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#categories.values())
    await Promise.all(this.#open.map((partition) => partition.idle()))
    await Promise.all(this.stores.map((store) => store.close()))
    await this.unlock()
  }

  #openCategory(category: string): Promise<readonly EmbeddedPartition[]> {
    const { directory, context, partitions, fsync: sync } = this.options
    const topic = `${context}.${category}.events`
    const numbers = Array.from({ length: partitions }, (_, partition) => partition)
    return Promise.all(
      numbers.map(async (partition) => {
        const own = { directory: join(directory, `${topic}-${partition}`), topic, partition, sync, logger: this.logger }
        const opened = new EmbeddedPartition(await LocalPartition.open(own), () => this.clock, this.bell.ring)
        this.#open.push(opened)
        return opened
      }),
    )
  }
}

/** What was decided when the directory was made stays decided. */
function checkShape(directory: string, { context, partitions }: Required<EmbeddedEventStoreOptions>): void {
  const path = join(directory, 'store.json')
  const own = { format: 1, kind: 'embedded event store', context, partitions }
  if (!existsSync(path)) {
    writeFileSync(path, `${JSON.stringify(own)}\n`)
    return
  }
  const found = JSON.parse(readFileSync(path, 'utf8'))
  for (const [name, value] of Object.entries(own)) {
    if (found[name] === value) continue
    throw directoryInvalid(directory, `its ${name} is ${found[name]}, not ${value}, and that is fixed for its life`)
  }
}
