// Snapshots in a directory, as JSON beside the index. They are written together with the events they come from.
import type { Snapshot, SnapshotStore } from '@narrative/core'

/** Undefined stands for one that is to be forgotten. */
type Waiting = ReadonlyMap<string, Buffer | undefined>

export class LocalSnapshots implements SnapshotStore {
  readonly #stored: (streamId: string) => Buffer | undefined
  readonly #changed: () => void
  #waiting = new Map<string, Buffer | undefined>()
  /** Those that are being written. */
  #leaving: Waiting = new Map()

  /**
   * @param stored finds what was written
   * @param changed told when there is something to write
   */
  constructor(stored: (streamId: string) => Buffer | undefined, changed: () => void) {
    this.#stored = stored
    this.#changed = changed
  }

  get waiting(): boolean {
    return this.#waiting.size > 0
  }

  load(streamId: string): Snapshot | undefined {
    const newest = [this.#waiting, this.#leaving].find((snapshots) => snapshots.has(streamId))
    const bytes = newest === undefined ? this.#stored(streamId) : newest.get(streamId)
    return bytes === undefined ? undefined : JSON.parse(bytes.toString())
  }

  save(streamId: string, { state, version, revision }: Snapshot): void {
    this.#waiting.set(streamId, Buffer.from(JSON.stringify({ state, version, revision })))
    this.#changed()
  }

  discard(streamId: string): void {
    this.#waiting.set(streamId, undefined)
    this.#changed()
  }

  /** All that wait; they stay visible until they have {@link LocalSnapshots.left}. */
  leave(): Waiting {
    this.#leaving = this.#waiting
    this.#waiting = new Map()
    return this.#leaving
  }

  left(): void {
    this.#leaving = new Map()
  }
}
