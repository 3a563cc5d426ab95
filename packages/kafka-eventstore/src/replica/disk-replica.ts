// A replica in a directory: a restart reads only what the log gained meanwhile, and memory does not grow with history.
//
// It is a copy, and believed only as far as it can be checked: its newest event must be the very record that the log has
// at that offset. It goes on right behind that event. In any doubt it is thrown away and built again from the log.
import { mkdirSync, realpathSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { isNarrativeError, type Logger, NarrativeError, type RecordedEvent, type SnapshotStore } from '@narrative/core'
import { LocalPartition, lockDirectory, type Unlock } from '@narrative/local-store'
import type { KafkaDriver } from '../driver/kafka-driver.js'
import { type LogPoint, logStart } from '../fold.js'
import { parseStamp, stampHeader } from '../stamp.js'
import type { Replica, ReplicaPlace, ReplicaStorage } from './replica.js'

/** Where replicas are kept. */
export interface DiskReplicaOptions {
  /** One for each process: a replica has one writer. A local disk; it needs no backup. */
  readonly directory: string
}

/**
 * Replicas on disk, for `kafkaEventStore({ replica: diskReplica({ directory }) })`.
 *
 * Nothing is lost when the directory is: the log in Kafka is the truth, and the replica is built again from it.
 */
export function diskReplica({ directory }: DiskReplicaOptions): ReplicaStorage {
  const root = new ReplicaDirectory(directory)
  return { create: (place) => new DiskReplica(root, place) }
}

/** Holds the lock while any replica is open; a partition that comes back waits until its last replica is closed. */
class ReplicaDirectory {
  readonly #directory: string
  readonly #open = new Map<string, Promise<void>>()
  #lock: Promise<{ path: string; unlock: Unlock }> | undefined
  #users = 0

  constructor(directory: string) {
    this.#directory = directory
  }

  /** @returns the path for a partition, and what to call when it is closed */
  async enter(name: string): Promise<{ path: string; leave: () => Promise<void> }> {
    while (this.#open.has(name)) await this.#open.get(name)
    let left: () => void = () => {}
    this.#open.set(name, new Promise((resolve) => (left = resolve)))
    this.#users++
    const leave = async () => {
      const lock = this.#lock
      if (--this.#users === 0) {
        this.#lock = undefined
        await lock?.then(
          ({ unlock }) => unlock(),
          () => {}, // it was never had
        )
      }
      this.#open.delete(name)
      left()
    }
    try {
      this.#lock ??= this.#take()
      return { path: join((await this.#lock).path, name), leave }
    } catch (error) {
      await leave()
      throw error
    }
  }

  async #take() {
    try {
      mkdirSync(this.#directory, { recursive: true })
      const path = realpathSync(this.#directory)
      return { path, unlock: await lockDirectory(path) }
    } catch (error) {
      if (isNarrativeError(error)) throw error
      throw new NarrativeError('DISK_FAILED', {
        message: `Replicas cannot be kept in ${this.#directory}: ${error instanceof Error ? error.message : error}. Give a directory that this process may write to.`,
        details: { directory: this.#directory },
        cause: error,
      })
    }
  }
}

export class DiskReplica implements Replica {
  readonly #root: ReplicaDirectory
  readonly #driver: KafkaDriver
  readonly #topic: string
  readonly #partition: number
  readonly #logger: Logger
  readonly #onFailure: ReplicaPlace['onFailure']
  #store: LocalPartition | undefined
  #leave: (() => Promise<void>) | undefined
  #point: LogPoint = logStart
  #lastTime = 0
  /** What was found wrong with it since it was opened. */
  #doubt: string | undefined

  constructor(root: ReplicaDirectory, { driver, topic, partition, logger, onFailure }: ReplicaPlace) {
    this.#root = root
    this.#driver = driver
    this.#topic = topic
    this.#partition = partition
    this.#logger = logger
    this.#onFailure = onFailure
  }

  get point(): LogPoint {
    return this.#point
  }

  get lastTime(): number {
    return this.#lastTime
  }

  get snapshots(): SnapshotStore | undefined {
    return this.#store?.snapshots
  }

  get room(): Promise<void> | undefined {
    return this.#store?.room
  }

  async open(): Promise<void> {
    const failure = this.#store?.failure
    if (failure !== undefined) await this.close()
    // A full disk is nothing to be tried again at once; a damaged replica is built again.
    if (failure?.code === 'DISK_FAILED') throw failure
    if (this.#store !== undefined) return
    const { path, leave } = await this.#root.enter(`${this.#topic}-${this.#partition}`)
    let store: LocalPartition | undefined
    try {
      const opened = await this.#openFiles(path)
      store = opened.store
      const checked = this.#doubt ?? opened.doubt ?? (await this.#check(store))
      if (typeof checked === 'string') {
        await store?.close()
        store = await this.#anew(path, checked)
      } else {
        this.#point = checked
      }
      this.#store = store!
      this.#lastTime = this.#store.lastTime
      this.#leave = leave
    } catch (error) {
      await store?.close()
      await leave()
      throw error
    }
  }

  async close(): Promise<void> {
    const store = this.#store
    this.#store = undefined
    try {
      await store?.close()
    } catch (error) {
      // Nothing is lost: the next start checks it against the log.
      this.#logger.warn({ error }, `The replica of ${this.#name} could not be closed in order`)
    }
    await this.#leave?.()
    this.#leave = undefined
  }

  version(streamId: string): number {
    return this.#opened.version(streamId)
  }

  findCommand(streamId: string, commandId: string) {
    const store = this.#opened
    try {
      return store.findCommand(streamId, commandId)
    } catch (error) {
      throw this.#asDiskFailure(error)
    }
  }

  *read(streamId: string, from: number, to: number): Iterable<RecordedEvent> {
    const store = this.#opened
    try {
      for (const event of store.read(streamId, from, to)) {
        yield event
        this.#opened // it may have been closed while somebody looked at the event
      }
    } catch (error) {
      throw this.#asDiskFailure(error)
    }
  }

  apply(events: readonly RecordedEvent[], point: LogPoint): readonly RecordedEvent[] {
    const store = this.#opened
    try {
      const refused = store.apply(events, point)
      this.#point = point
      this.#lastTime = store.lastTime
      return refused
    } catch (error) {
      throw this.#asDiskFailure(error)
    }
  }

  get #name(): string {
    return `${this.#topic}/${this.#partition}`
  }

  get #opened(): LocalPartition {
    if (this.#store !== undefined) return this.#store
    throw new NarrativeError('NOT_OWNER', {
      message: `The replica of ${this.#name} is closed: this instance does not own the partition any more.`,
      details: { topic: this.#topic, partition: this.#partition },
    })
  }

  /** Damage of a copy is no damage of the log: it is over when the copy has been made again. */
  #asDiskFailure<E>(error: E): E | NarrativeError {
    if (!isNarrativeError(error, 'LOG_CORRUPT')) return error
    return new NarrativeError('DISK_FAILED', {
      message: `The replica of ${this.#name} is damaged and is being built again from the log; repeat this in a moment.`,
      details: { directory: String(error.details.directory), code: 'DAMAGED' },
      cause: error,
    })
  }

  async #openFiles(path: string): Promise<{ store?: LocalPartition; doubt?: string }> {
    try {
      return { store: await this.#openAt(path) }
    } catch (error) {
      // What the system says about the disk is no doubt about the replica.
      if (isNarrativeError(error, 'DISK_FAILED') && typeof error.details.code === 'string') throw error
      return { doubt: error instanceof Error ? error.message : String(error) }
    }
  }

  #openAt(directory: string): Promise<LocalPartition> {
    const own = { topic: this.#topic, partition: this.#partition, sync: false, logger: this.#logger }
    const onFailure = (failure: NarrativeError) => {
      if (failure.code === 'LOG_CORRUPT') this.#doubt = failure.message
      this.#onFailure?.(this.#asDiskFailure(failure))
    }
    return LocalPartition.open({ ...own, directory, onFailure })
  }

  async #anew(path: string, why: string): Promise<LocalPartition> {
    const facts = { topic: this.#topic, partition: this.#partition, directory: path }
    if (why !== '') {
      this.#logger.warn(facts, `The replica of ${this.#name} is thrown away and built again from the log: ${why}`)
    }
    rmSync(path, { recursive: true, force: true })
    this.#doubt = undefined
    this.#point = logStart
    return this.#openAt(path)
  }

  /** Where to go on from; or why it cannot be believed, empty when it holds nothing anyway. */
  async #check(store: LocalPartition | undefined): Promise<LogPoint | string> {
    const newest = store?.newest
    if (!newest) return ''
    const place = { topic: this.#topic, partition: this.#partition }
    const { start, end } = await this.#driver.offsets(place.topic, place.partition)
    if (start > 0) return `the log begins at offset ${start}`
    if (newest.offset >= end) return `it holds an event at offset ${newest.offset}, and the log ends at ${end}`
    const request = { ...place, offset: newest.offset, maxBytes: 64 * 1024, maxWait: 0 }
    const { records } = await this.#driver.fetch(request)
    const record = records.find(({ offset }) => offset === newest.offset)
    const stamp = parseStamp(record?.header(stampHeader) ?? '')
    if (stamp === undefined || 'partitions' in stamp || record?.header('ce_id') !== newest.id) {
      return `at offset ${newest.offset} it holds the event ${newest.id}, and the log does not`
    }
    // It counted, so its claim was the latest at that place. What follows, claims above all, is read again.
    return { offset: newest.offset + 1, claim: stamp.claim }
  }
}
