// What was applied and is not in the index yet: it answers from memory while it is written, first to the file, then to the index.

import { LocalSnapshots } from './local-snapshots.js'
import { RecentRecords } from './recent-records.js'
import type { PlacedRecord } from './record-codec.js'
import type { RecordFile } from './record-file.js'
import type { IndexReach, Milestone, StreamIndex } from './stream-index.js'

/** Bytes stay in memory until they are so many, and nothing more is taken when they are so many … */
const writeAfter = 4 * 1024 * 1024
const fullAt = 16 * 1024 * 1024
/** … records go to the index when so many wait (the more at once, the fewer pages are written twice), likewise … */
const indexAfter = 16_000
const tooMany = 32_000
/** … and whatever waits goes there so long after it came, milliseconds. */
const delay = 4_000
/** Readers can begin about every so many bytes. */
const milestoneEvery = 64 * 1024

/** Records whose bytes are in memory. */
interface Held {
  readonly records: readonly PlacedRecord[]
  /** The frame they are in, when it is still to be written. */
  readonly frame: Buffer | undefined
}

export class WriteBehind {
  readonly recent = new RecentRecords()
  readonly snapshots: LocalSnapshots
  readonly #file: RecordFile
  readonly #index: StreamIndex
  readonly #failed: (cause: unknown) => void
  #held: Held[] = []
  #heldBytes = 0
  #milestones: Milestone[] = []
  #lastMilestone = Number.NEGATIVE_INFINITY
  #reach: IndexReach
  #working: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #stopped = false

  /** @param failed is told once, when something could not be written: nothing is, from then on */
  constructor(file: RecordFile, index: StreamIndex, reach: IndexReach, failed: (cause: unknown) => void) {
    this.#file = file
    this.#index = index
    this.#reach = reach
    this.#failed = failed
    this.snapshots = new LocalSnapshots(
      (streamId) => index.snapshot(streamId),
      () => this.#soon(),
    )
  }

  /** How far what was added reaches. */
  get reach(): IndexReach {
    return this.#reach
  }

  /** @param frame the one they are in, unless it is in the file already */
  add(records: readonly PlacedRecord[], reach: IndexReach, frame?: Buffer): void {
    const { place, offset } = this.#reach
    if (place - this.#lastMilestone >= milestoneEvery) {
      this.#lastMilestone = place
      this.#milestones.push({ offset, place })
    }
    for (const record of records) this.recent.add(record)
    if (records[0]?.bytes !== undefined || frame !== undefined) {
      this.#held.push({ records, frame })
      this.#heldBytes += reach.place - place
    }
    this.#reach = reach
    if (this.recent.count >= indexAfter || this.#heldBytes >= writeAfter) void this.#follow(false)
    else this.#soon()
  }

  /** A promise when so much waits that nothing should be added before it resolves. */
  get room(): Promise<void> | undefined {
    if (this.recent.count < tooMany && this.#heldBytes < fullAt) return undefined
    return this.#follow(false)
  }

  /** Resolves when everything is in the index, or it has failed. */
  async flush(): Promise<void> {
    const waits = () => this.recent.count > 0 || this.#held.length > 0 || this.snapshots.waiting
    while (!this.#stopped && waits()) await this.#follow(true)
    await this.#working
  }

  /** Nothing is begun any more. */
  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    await this.#working
  }

  /** Never rejects. */
  #follow(index: boolean): Promise<void> {
    this.#working ??= this.#once(index).finally(() => {
      this.#working = undefined
    })
    return this.#working
  }

  async #once(index: boolean): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#stopped) return
    try {
      // All of this in one turn of the event loop: what is indexed is what is written.
      const reach = this.#reach
      const indexing = index || this.recent.count >= indexAfter
      const leaving = indexing ? this.recent.leave() : undefined
      const milestones = indexing ? this.#milestones.splice(0) : []
      const snapshots = indexing ? this.snapshots.leave() : undefined
      await this.#write()
      if (leaving === undefined) {
        this.#soon()
      } else {
        await this.#index.add(leaving, milestones, reach, snapshots)
        this.recent.left()
        this.snapshots.left()
      }
    } catch (error) {
      this.#stopped = true
      this.#failed(error)
    }
  }

  async #write(): Promise<void> {
    const held = this.#held
    this.#held = []
    this.#heldBytes = 0
    const frames = held.flatMap(({ frame }) => frame ?? [])
    if (frames.length > 0) await this.#file.append(frames, false)
    // The file has them: keeping the bytes as well would be memory for nothing.
    for (const { records } of held) for (const record of records) record.bytes = undefined
  }

  #soon(): void {
    this.#timer ??= setTimeout(() => void this.#follow(true), delay).unref()
  }
}
