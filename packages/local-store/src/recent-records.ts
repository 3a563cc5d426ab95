// Records that are not in the index yet, by stream. Versions are absolute, so a record may be here and there at once.
import type { PlacedRecord } from './record-codec.js'

type Streams = ReadonlyMap<string, readonly PlacedRecord[]>
const none: readonly PlacedRecord[] = []

export class RecentRecords {
  #streams = new Map<string, PlacedRecord[]>()
  #count = 0
  /** Those that are being put into the index. */
  #leaving: Streams = new Map()

  /** Without those that are leaving. */
  get count(): number {
    return this.#count
  }

  /** The records of a stream, by version, without gaps. */
  of(streamId: string): readonly PlacedRecord[] {
    const newer = this.#streams.get(streamId)
    const older = this.#leaving.size === 0 ? undefined : this.#leaving.get(streamId)
    if (newer === undefined || older === undefined) return newer ?? older ?? none
    return [...older, ...newer]
  }

  /** Version of the newest of them, 0 when there is none. */
  version(streamId: string): number {
    return (this.#streams.get(streamId) ?? this.#leaving.get(streamId) ?? none).at(-1)?.version ?? 0
  }

  add(record: PlacedRecord): void {
    const records = this.#streams.get(record.streamId)
    if (records === undefined) this.#streams.set(record.streamId, [record])
    else records.push(record)
    this.#count++
  }

  /** All there is at this moment; it stays visible until it is {@link RecentRecords.left}. */
  leave(): Streams {
    this.#leaving = this.#streams
    this.#streams = new Map()
    this.#count = 0
    return this.#leaving
  }

  left(): void {
    this.#leaving = new Map()
  }
}
