// One partition in a directory: the log file is the truth, the index makes it quick, the newest waits in memory.
//
// A step is one frame, so it is there whole or not at all. The index follows in batches (write-behind.ts). When it is
// opened, the frames the index has not seen are read (recovery.ts). Whatever is read was checked: records by their own
// checksums, the index as a whole when it was opened (partition-directory.ts).
import { type Appended, type Logger, NarrativeError, type RecordedEvent, type SnapshotStore } from '@narrative/core'
import { diskFailed, logCorrupt } from './disk-error.js'
import { PartitionDirectory } from './partition-directory.js'
import { decodeRecord, encodeFrame, type Frame, hashOf, type LocalPoint, type PlacedRecord } from './record-codec.js'
import { recover } from './recovery.js'
import type { IndexReach } from './stream-index.js'
import { WriteBehind } from './write-behind.js'

/** What to open. */
export interface LocalPartitionOptions {
  readonly directory: string
  readonly topic: string
  readonly partition: number
  /** Whether an append is on the disk, not only with the system, before it counts. */
  readonly sync: boolean
  readonly logger: Logger
  /** Told once, when it can go on no further: a full disk, a damaged record. Whatever is called afterwards throws the same. */
  readonly onFailure?: (failure: NarrativeError) => void
}

/** One partition in a directory: its events by stream and version, its command ids, and how far it has come. */
export class LocalPartition {
  readonly topic: string
  readonly partition: number
  readonly #options: LocalPartitionOptions
  readonly #on: PartitionDirectory
  readonly #behind: WriteBehind
  #failure: NarrativeError | undefined
  #closing: Promise<void> | undefined

  /**
   * Opens or creates it.
   * @throws NarrativeError `DISK_FAILED`, `DIRECTORY_INVALID`, `LOG_CORRUPT`
   */
  static async open(options: LocalPartitionOptions): Promise<LocalPartition> {
    const { directory, logger } = options
    let on: PartitionDirectory | undefined
    try {
      on = PartitionDirectory.open(options)
      return new LocalPartition(options, on, await recover(on, directory, logger))
    } catch (error) {
      await on?.close(false)
      throw diskFailed('Opening the events', directory, error)
    }
  }

  private constructor(options: LocalPartitionOptions, on: PartitionDirectory, reach: IndexReach) {
    this.topic = options.topic
    this.partition = options.partition
    this.#options = options
    this.#on = on
    this.#behind = new WriteBehind(on.file, on.index, reach, (cause) => {
      this.#fail(diskFailed('Writing events', options.directory, cause))
    })
  }

  get point(): LocalPoint {
    return this.#behind.reach
  }

  get lastTime(): number {
    return this.#behind.reach.lastTime
  }

  /** The newest event: what tells two copies of a log apart. */
  get newest(): { readonly offset: number; readonly id: string } | null {
    return this.#behind.reach.newest
  }

  /** Why it goes on no further. */
  get failure(): NarrativeError | undefined {
    return this.#failure
  }

  /** Snapshots of its streams: plain data. One is on the disk not before the events it comes from. */
  get snapshots(): SnapshotStore {
    return this.#behind.snapshots
  }

  version(streamId: string): number {
    return this.#behind.recent.version(streamId) || this.#on.index.version(streamId)
  }

  /** @throws NarrativeError `LOG_CORRUPT` */
  findCommand(streamId: string, commandId: string): Appended | undefined {
    const hash = hashOf(commandId)
    const recent = this.#behind.recent.of(streamId)
    const before = recent[0]?.version ?? Number.POSITIVE_INFINITY
    const versions = this.#on.index.candidates(streamId, hash).filter((version) => version < before)
    for (const record of recent) if (record.commandHash === hash) versions.push(record.version)
    let first: RecordedEvent | undefined
    let last: RecordedEvent | undefined
    for (const version of versions) {
      const [event] = this.read(streamId, version, version)
      // The events of one append are adjacent; a later append of the same name there cannot be.
      if (event?.metadata.commandId !== commandId || (last !== undefined && version !== last.version + 1)) continue
      first ??= event
      last = event
    }
    if (first === undefined || last === undefined) return undefined
    const { version, position } = last
    return { outcome: 'appended', firstVersion: first.version, version, position, duplicate: true }
  }

  /**
   * Events of a stream from one version to another, both included.
   * @throws NarrativeError `LOG_CORRUPT`
   */
  *read(streamId: string, from: number, to: number): Generator<RecordedEvent, void> {
    const last = Math.min(to, this.version(streamId))
    for (let version = Math.max(from, 1); version <= last; ) {
      const recent = this.#behind.recent.of(streamId)
      const first = recent[0]?.version ?? Number.POSITIVE_INFINITY
      if (version >= first) {
        yield this.#event(recent[version - first]!, streamId, version)
        version++
      } else {
        // A few at a time: a long stream is not looked up before somebody asks for it.
        const places = this.#on.index.places(streamId, version, Math.min(last, first - 1, version + 63))
        if (places.length === 0) throw this.#damaged(`version ${version} of ${streamId} is not in the index`)
        for (const place of places) yield this.#event({ place, bytes: undefined }, streamId, version++)
      }
    }
  }

  /**
   * Makes events visible at once; they are written behind the caller's back.
   *
   * @returns events whose version is not the next of their stream: they are left out
   * @throws NarrativeError `DISK_FAILED` when the disk did not take what came before
   */
  apply(events: readonly RecordedEvent[], point: LocalPoint): readonly RecordedEvent[] {
    if (this.#failure !== undefined) throw this.#failure
    const { accepted, refused } = this.#sort(events)
    const { bytes, records } = encodeFrame(accepted, point, this.#behind.reach.place)
    this.#behind.add(records, this.#reachAfter(accepted, point, bytes.length), bytes)
    return refused
  }

  /**
   * Writes events, then makes them visible: when it resolves they outlive the process and, with `sync`, the machine.
   * One at a time, and never beside {@link LocalPartition.apply}.
   *
   * @param events whose versions are the next of their streams
   * @throws NarrativeError `DISK_FAILED`: nothing was written; `OUTCOME_UNKNOWN`: and nothing can be, until it is opened anew
   */
  async append(events: readonly RecordedEvent[], point: LocalPoint): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure
    const { place } = this.#behind.reach
    const { bytes, records } = encodeFrame(events, point, place)
    try {
      await this.#on.file.append([bytes], this.#options.sync)
    } catch (error) {
      const failed = diskFailed('Writing events', this.#options.directory, error)
      try {
        this.#on.file.cut(place)
      } catch {
        // A frame that may or may not be there: nothing can follow it. Opening the directory anew finds out.
        this.#fail(failed)
        throw new NarrativeError('OUTCOME_UNKNOWN', { message: failed.message, details: failed.details, cause: error })
      }
      throw failed
    }
    this.#behind.add(records, this.#reachAfter(events, point, bytes.length))
  }

  /** A promise when so much waits for the disk that nothing should be applied before it resolves. */
  get room(): Promise<void> | undefined {
    return this.#behind.room
  }

  /** Frames from about an offset on, as far as events are visible. */
  *frames(offset: number, place = this.#on.index.placeBefore(offset)): Generator<Frame, void> {
    const { place: bad, tail } = yield* this.#on.file.frames(place, this.#behind.reach.place)
    if (tail !== 'clean') throw this.#damaged(`the frame at byte ${bad} is not what was written`)
  }

  /** Resolves when everything that was applied is with the system, and in the index. */
  async flush(): Promise<void> {
    await this.#behind.flush()
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await this.#behind.flush()
    await this.#behind.stop()
    await this.#on.close(this.#failure === undefined)
  }

  #reachAfter(events: readonly RecordedEvent[], point: LocalPoint, length: number): IndexReach {
    const { place, lastTime, newest } = this.#behind.reach
    const last = events.at(-1)
    return {
      offset: point.offset,
      claim: point.claim,
      place: place + length,
      lastTime: last?.time ?? lastTime,
      newest: last === undefined ? newest : { offset: last.position.offset, id: last.id },
    }
  }

  #sort(events: readonly RecordedEvent[]) {
    const accepted: RecordedEvent[] = []
    const refused: RecordedEvent[] = []
    const ahead = new Map<string, number>()
    for (const event of events) {
      const version = ahead.get(event.streamId) ?? this.version(event.streamId)
      if (event.version === version + 1) {
        accepted.push(event)
        ahead.set(event.streamId, event.version)
      } else {
        refused.push(event)
      }
    }
    return { accepted, refused }
  }

  #event({ place, bytes }: Pick<PlacedRecord, 'place' | 'bytes'>, streamId: string, version: number): RecordedEvent {
    let record = bytes
    try {
      record ??= this.#on.file.record(place)
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      throw this.#damaged(`version ${version} of ${streamId} cannot be read: ${why}`)
    }
    const event = record && decodeRecord(record, this.topic, this.partition)
    if (event?.version === version && event.streamId === streamId) return event
    throw this.#damaged(`version ${version} of ${streamId} is not at byte ${place}`)
  }

  #damaged(why: string): NarrativeError {
    const damage = logCorrupt(this.#options.directory, why)
    this.#fail(damage)
    return damage
  }

  #fail(failure: NarrativeError): void {
    if (this.#failure !== undefined) return
    this.#failure = failure
    this.#options.logger.error({ directory: this.#options.directory, error: failure.cause }, failure.message)
    this.#options.onFailure?.(failure)
  }
}
