// One partition in a directory: the log file is the truth, the index makes it quick, the newest waits in memory.
//
//   partition.json   what this is: format, topic, partition, and whose it is
//   events           frames, appended (record-codec.ts)
//   index/           lmdb; derived from `events` (stream-index.ts)
//   sealed           there while it is closed: size and checksum of the index
//
// A step is one frame, so it is there whole or not at all. The index follows in batches. When it is opened, the frames
// the index has not seen are read, a frame cut short at the very end is cut off, and damage before that is an error.
// lmdb reads its file through a memory map, and a damaged one ends the process: so an index is opened only when it is
// byte for byte what was sealed. After any other end than a closing it is made anew from `events`.
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { type Appended, type Logger, NarrativeError, type RecordedEvent } from '@narrative/core'
import { directoryInvalid, diskFailed } from './disk-error.js'
import { RecentRecords } from './recent-records.js'
import {
  decodeRecord,
  encodeFrame,
  type Frame,
  hashOf,
  type LocalPoint,
  type PlacedRecord,
  placeRecord,
} from './record-codec.js'
import { RecordFile } from './record-file.js'
import { type IndexReach, type Milestone, StreamIndex } from './stream-index.js'

/** What to open. */
export interface LocalPartitionOptions {
  readonly directory: string
  readonly topic: string
  readonly partition: number
  /** Whether an append is on the disk, not only with the system, before it counts. */
  readonly sync: boolean
  readonly logger: Logger
}

const format = 1
/** The index follows when this much waits for it … */
const indexAfter = { records: 10_000, bytes: 8 * 1024 * 1024 }
/** … and nothing more is taken before it did when it is this much. */
const fullAt = { records: 25_000, bytes: 16 * 1024 * 1024 }
/** … or this long after something came, milliseconds. */
const indexDelay = 500
/** Readers can begin about every so many bytes. */
const milestoneEvery = 64 * 1024

/** One partition in a directory: its events by stream and version, its command ids, and how far it has come. */
export class LocalPartition {
  readonly topic: string
  readonly partition: number
  readonly #directory: string
  readonly #sync: boolean
  readonly #logger: Logger
  readonly #file: RecordFile
  readonly #index: StreamIndex
  readonly #recent = new RecentRecords()
  #point: LocalPoint = { offset: 0, claim: null }
  #lastTime = 0
  #newest: IndexReach['newest'] = null
  /** Where the next frame goes, once those that wait are written. */
  #end = 0
  #unwritten: Buffer[] = []
  #milestones: Milestone[] = []
  #lastMilestone = Number.NEGATIVE_INFINITY
  #indexing: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #failure: NarrativeError | undefined
  #closing: Promise<void> | undefined

  /**
   * Opens or creates it.
   * @throws NarrativeError `DISK_FAILED`, `DIRECTORY_INVALID`, `LOG_CORRUPT`
   */
  static async open(options: LocalPartitionOptions): Promise<LocalPartition> {
    const { directory } = options
    try {
      mkdirSync(join(directory, 'index'), { recursive: true })
      checkIdentity(options)
      const index = join(directory, 'index')
      if (!sealed(directory)) {
        if (existsSync(join(index, 'data.mdb'))) {
          options.logger.warn({ directory }, `${directory} was not closed in order: its index is made anew`)
        }
        rmSync(index, { recursive: true })
        mkdirSync(index)
      }
      rmSync(join(directory, 'sealed'), { force: true })
      const partition = new LocalPartition(options)
      if (process.platform !== 'win32') syncFile(directory) // the names of the files, for a power failure
      try {
        await partition.#recover()
      } catch (error) {
        await partition.#release()
        throw error
      }
      return partition
    } catch (error) {
      throw diskFailed('Opening the events', directory, error)
    }
  }

  private constructor({ directory, topic, partition, sync, logger }: LocalPartitionOptions) {
    this.topic = topic
    this.partition = partition
    this.#directory = directory
    this.#sync = sync
    this.#logger = logger
    this.#file = new RecordFile(join(directory, 'events'))
    this.#index = new StreamIndex(join(directory, 'index'))
  }

  get point(): LocalPoint {
    return this.#point
  }

  get lastTime(): number {
    return this.#lastTime
  }

  /** The newest event: what tells two copies of a log apart. */
  get newest(): { readonly offset: number; readonly id: string } | null {
    return this.#newest
  }

  /** Why nothing can be written any more. */
  get failure(): NarrativeError | undefined {
    return this.#failure
  }

  version(streamId: string): number {
    return this.#recent.of(streamId).at(-1)?.version ?? this.#index.version(streamId)
  }

  findCommand(streamId: string, commandId: string): Appended | undefined {
    const hash = hashOf(commandId)
    const recent = this.#recent.of(streamId)
    const before = recent[0]?.version ?? Number.POSITIVE_INFINITY
    const versions = this.#index.candidates(streamId, hash).filter((version) => version < before)
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

  /** Events of a stream from one version to another, both included. */
  *read(streamId: string, from: number, to: number): Generator<RecordedEvent, void> {
    const last = Math.min(to, this.version(streamId))
    for (let version = Math.max(from, 1); version <= last; ) {
      const recent = this.#recent.of(streamId)
      const first = recent[0]?.version ?? Number.POSITIVE_INFINITY
      if (version >= first) {
        yield this.#decode(recent[version - first]!.bytes)
        version++
      } else {
        // A few at a time: a long stream is not looked up before somebody asks for it.
        const places = this.#index.places(streamId, version, Math.min(last, first - 1, version + 63))
        if (places.length === 0) throw this.#damaged(`version ${version} of ${streamId} is not in the index`)
        for (const place of places) yield this.#decode(this.#record(place))
        version += places.length
      }
    }
  }

  /**
   * Makes events visible at once; they are written behind the caller's back.
   *
   * @returns events whose version is not the next of their stream: they are left out
   * @throws NarrativeError `DISK_FAILED` when the disk did not take what came before, or does not keep up
   */
  apply(events: readonly RecordedEvent[], point: LocalPoint): readonly RecordedEvent[] {
    if (this.#failure !== undefined) throw this.#failure
    const { accepted, refused } = this.#sort(events)
    const { bytes, records } = encodeFrame(accepted, point, this.#end)
    this.#unwritten.push(bytes)
    this.#take(records, accepted.at(-1), point, bytes.length)
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
    const { bytes, records } = encodeFrame(events, point, this.#end)
    try {
      await this.#file.append([bytes], this.#sync)
    } catch (error) {
      const failed = diskFailed('Writing events', this.#directory, error)
      try {
        this.#file.cut(this.#end)
      } catch {
        // A frame that may or may not be there: nothing can follow it. Opening the directory anew finds out.
        this.#failure = failed
        throw new NarrativeError('OUTCOME_UNKNOWN', { message: failed.message, details: failed.details, cause: error })
      }
      throw failed
    }
    this.#take(records, events.at(-1), point, bytes.length)
  }

  /** A promise when so much waits for the disk that nothing should be applied before it resolves. */
  get room(): Promise<void> | undefined {
    if (this.#recent.count < fullAt.records && this.#recent.bytes < fullAt.bytes) return undefined
    return this.#follow()
  }

  /** Frames from about an offset on, as far as events are visible. */
  *frames(offset: number, place = this.#index.placeBefore(offset)): Generator<Frame, void> {
    const end = this.#end
    const { tail, place: bad } = yield* this.#file.frames(place, end)
    if (tail !== 'clean') throw this.#damaged(`the frame at byte ${bad} is not what was written`)
  }

  /** Everything that was applied is with the system, and in the index. */
  async flush(): Promise<void> {
    while (this.#failure === undefined && (this.#recent.count > 0 || this.#unwritten.length > 0)) await this.#follow()
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    clearTimeout(this.#timer)
    await this.flush()
    await this.#indexing
    await this.#release()
    if (this.#failure !== undefined) return
    seal(this.#directory)
  }

  async #release(): Promise<void> {
    clearTimeout(this.#timer)
    await this.#index.close()
    this.#file.close()
  }

  async #recover(): Promise<void> {
    const reach = this.#index.reach
    const known = reach !== undefined && reach.place <= this.#file.end ? reach : undefined
    if (reach !== undefined && known === undefined) {
      throw this.#damaged(`it holds ${this.#file.end} bytes, and ${reach.place} were written`)
    }
    if (known !== undefined) {
      this.#point = { offset: known.offset, claim: known.claim }
      this.#lastTime = known.lastTime
      this.#newest = known.newest
      this.#end = known.place
    }
    const total = this.#file.end
    const frames = this.#file.frames(this.#end)
    let reported = performance.now()
    for (;;) {
      const next = frames.next()
      if (next.done) {
        if (next.value.tail === 'corrupt') throw this.#damaged(`the frame at byte ${next.value.place} is damaged`)
        if (next.value.tail === 'torn') {
          this.#logger.warn(
            { directory: this.#directory, place: next.value.place },
            `${this.#directory}: a write was cut short; ${total - next.value.place} bytes that nobody was told of are dropped`,
          )
          this.#file.cut(next.value.place)
        }
        break
      }
      this.#replay(next.value)
      await this.room
      if (performance.now() - reported < 2_000) continue
      reported = performance.now()
      const percent = Math.round((this.#end / total) * 100)
      this.#logger.info({ directory: this.#directory }, `${this.#directory}: read ${percent} % of its events`)
    }
  }

  #replay({ place, length, point, records }: Frame): void {
    const placed: PlacedRecord[] = []
    // Records follow the head of their frame without a gap.
    let at = place + length - records.reduce((sum, bytes) => sum + bytes.length, 0)
    for (const bytes of records) {
      placed.push(placeRecord(Buffer.from(bytes), at)) // a copy: the bytes come out of reads of a megabyte
      at += bytes.length
    }
    const last = records.at(-1)
    this.#take(placed, last && this.#decode(last), point, length)
  }

  #take(records: readonly PlacedRecord[], newest: RecordedEvent | undefined, point: LocalPoint, length: number): void {
    if (this.#end - this.#lastMilestone >= milestoneEvery) {
      this.#lastMilestone = this.#end
      // What comes before this frame ends at the point before it.
      this.#milestones.push({ offset: this.#point.offset, place: this.#end })
    }
    for (const record of records) this.#recent.add(record)
    if (newest !== undefined) {
      this.#lastTime = newest.time
      this.#newest = { offset: newest.position.offset, id: newest.id }
    }
    this.#end += length
    this.#point = point
    if (this.#recent.count >= indexAfter.records || this.#recent.bytes >= indexAfter.bytes) void this.#follow()
    else if (this.#timer === undefined) this.#timer = setTimeout(() => void this.#follow(), indexDelay).unref()
  }

  /** Writes what waits, then brings the index up to it. Never rejects: what fails is told to the next caller. */
  #follow(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#indexing ??= this.#followOnce().finally(() => {
      this.#indexing = undefined
    })
    return this.#indexing
  }

  async #followOnce(): Promise<void> {
    const snapshot = this.#recent.snapshot()
    const frames = this.#unwritten
    const milestones = this.#milestones
    this.#unwritten = []
    this.#milestones = []
    const { offset, claim } = this.#point
    const reach = { offset, claim, place: this.#end, lastTime: this.#lastTime, newest: this.#newest }
    try {
      if (frames.length > 0) await this.#file.append(frames, false)
      await this.#index.add(snapshot, milestones, reach)
      this.#recent.drop(snapshot)
    } catch (error) {
      this.#failure ??= diskFailed('Writing events', this.#directory, error)
      this.#logger.error({ directory: this.#directory, error }, this.#failure.message)
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

  #record(place: number): Buffer {
    try {
      return this.#file.record(place)
    } catch (error) {
      throw diskFailed('Reading events', this.#directory, error)
    }
  }

  #decode(bytes: Buffer): RecordedEvent {
    return decodeRecord(bytes, this.topic, this.partition)
  }

  #damaged(why: string): NarrativeError {
    return new NarrativeError('LOG_CORRUPT', {
      message: `The events in ${this.#directory} are damaged: ${why}. Restore the directory from a backup.`,
      details: { directory: this.#directory },
    })
  }
}

/** Says what the index is, for the next opening. */
function seal(directory: string): void {
  const data = join(directory, 'index', 'data.mdb')
  syncFile(join(directory, 'events'))
  syncFile(data)
  writeFileSync(join(directory, 'sealed'), fingerprint(data))
}

/** Whether the index is what it was when it was closed. */
function sealed(directory: string): boolean {
  const seal = join(directory, 'sealed')
  const data = join(directory, 'index', 'data.mdb')
  return existsSync(seal) && existsSync(data) && readFileSync(seal, 'utf8') === fingerprint(data)
}

function fingerprint(path: string): string {
  const file = openSync(path, 'r')
  try {
    const chunk = Buffer.allocUnsafe(1024 * 1024)
    let sum = 0
    let size = 0
    for (let read = readSync(file, chunk); read > 0; read = readSync(file, chunk)) {
      sum = crc32(chunk.subarray(0, read), sum)
      size += read
    }
    return `${size} ${sum}\n`
  } finally {
    closeSync(file)
  }
}

function syncFile(path: string): void {
  const file = openSync(path, 'r')
  fsyncSync(file)
  closeSync(file)
}

function checkIdentity({ directory, topic, partition }: LocalPartitionOptions): void {
  const path = join(directory, 'partition.json')
  const own = { format, topic, partition }
  if (!existsSync(path)) {
    if (existsSync(join(directory, 'events'))) throw directoryInvalid(directory, 'it lacks its partition.json')
    writeFileSync(path, `${JSON.stringify(own)}\n`)
    syncFile(path)
    return
  }
  const found = JSON.parse(readFileSync(path, 'utf8'))
  if (found.format !== format) {
    throw directoryInvalid(directory, `it is of format ${found.format}, and this version reads format ${format}`)
  }
  if (found.topic !== topic || found.partition !== partition) {
    throw directoryInvalid(directory, `it holds ${found.topic}/${found.partition}, not ${topic}/${partition}`)
  }
}
