// Records that are not in the index yet, by stream. Versions are absolute, so a record may be here and there at once.
import type { PlacedRecord } from './record-codec.js'

export class RecentRecords {
  readonly #streams = new Map<string, PlacedRecord[]>()
  #count = 0
  #bytes = 0

  get count(): number {
    return this.#count
  }

  get bytes(): number {
    return this.#bytes
  }

  /** The records of a stream, by version, without gaps. */
  of(streamId: string): readonly PlacedRecord[] {
    return this.#streams.get(streamId) ?? []
  }

  add(record: PlacedRecord): void {
    const records = this.#streams.get(record.streamId)
    if (records === undefined) this.#streams.set(record.streamId, [record])
    else records.push(record)
    this.#count++
    this.#bytes += record.bytes.length
  }

  /** All there is at this moment. */
  snapshot(): Map<string, readonly PlacedRecord[]> {
    return new Map([...this.#streams].map(([streamId, records]) => [streamId, [...records]]))
  }

  /** Forgets what was in a snapshot. */
  drop(snapshot: ReadonlyMap<string, readonly PlacedRecord[]>): void {
    for (const [streamId, dropped] of snapshot) {
      const records = this.#streams.get(streamId)!
      if (records.length === dropped.length) this.#streams.delete(streamId)
      else records.splice(0, dropped.length)
      this.#count -= dropped.length
      for (const { bytes } of dropped) this.#bytes -= bytes.length
    }
  }
}
