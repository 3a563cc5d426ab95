// Where the records of each stream are: a tree of lmdb, read through the memory map. It can be made anew from the file.
//
//   s <stream id>          the newest chunk of a stream: entries of place u48 and command hash u32, 64 at the most
//   c <chunk> <stream id>  full chunks
//   k <hash> <stream id>   versions of commands in full chunks, u32 each
//   o <offset>             where in the file the frame with this offset begins; a few, to begin reading near an offset
//   m                      what the index reaches to
//
// Most streams are short: one entry in the tree for each of them.
import { open, type RootDatabase } from 'lmdb'
import type { LocalPoint, PlacedRecord } from './record-codec.js'

/** How far an index reaches. */
export interface IndexReach extends LocalPoint {
  /** Every frame before this place in the file is in the index. */
  readonly place: number
  /** Time of the newest event. */
  readonly lastTime: number
  /** The newest event, to compare with the log this is a copy of. */
  readonly newest: { readonly offset: number; readonly id: string } | null
}

/** A frame that readers may start at. */
export interface Milestone {
  readonly offset: number
  readonly place: number
}

const perChunk = 64
const entrySize = 10
const headSize = 4

export class StreamIndex {
  readonly #db: RootDatabase<Buffer, Buffer>

  constructor(directory: string) {
    this.#db = open<Buffer, Buffer>({
      path: directory,
      keyEncoding: 'binary',
      encoding: 'binary',
      cache: false,
      noSync: true, // it counts only when it was closed in order, and it is synced then (local-partition.ts)
      maxReaders: 32,
    })
  }

  get reach(): IndexReach | undefined {
    const bytes = this.#db.getBinary(reachKey)
    return bytes === undefined ? undefined : JSON.parse(bytes.toString())
  }

  version(streamId: string): number {
    const head = this.#db.getBinary(streamKey(streamId))
    return head === undefined ? 0 : head.readUInt32BE(0) * perChunk + (head.length - headSize) / entrySize
  }

  /** Places of the records of these versions, both included. */
  places(streamId: string, from: number, to: number): number[] {
    const head = this.#db.getBinary(streamKey(streamId))
    if (head === undefined) return []
    const full = head.readUInt32BE(0)
    const places: number[] = []
    let chunk = -1
    let bytes: Buffer | undefined
    for (let version = from; version <= to; version++) {
      const number = Math.floor((version - 1) / perChunk)
      if (number !== chunk) {
        chunk = number
        bytes = number === full ? head : this.#db.getBinary(chunkKey(streamId, number))
      }
      const at = headSize + ((version - 1) % perChunk) * entrySize
      if (bytes === undefined || at >= bytes.length) break
      places.push(bytes.readUIntBE(at, 6))
    }
    return places
  }

  /** Versions whose command may be the one with this hash; rising. */
  candidates(streamId: string, hash: number): number[] {
    const head = this.#db.getBinary(streamKey(streamId))
    if (head === undefined) return []
    const full = head.readUInt32BE(0)
    const versions: number[] = []
    const old = full === 0 ? undefined : this.#db.getBinary(commandKey(streamId, hash))
    for (let at = 0; old !== undefined && at < old.length; at += 4) versions.push(old.readUInt32BE(at))
    for (let at = headSize; at < head.length; at += entrySize) {
      if (head.readUInt32BE(at + 6) === hash) versions.push(full * perChunk + (at - headSize) / entrySize + 1)
    }
    return versions
  }

  /** Where to begin reading the file for an offset. */
  placeBefore(offset: number): number {
    for (const { value } of this.#db.getRange({
      start: offsetKey(offset),
      end: offsetKey(0),
      reverse: true,
      limit: 1,
    })) {
      return value.readUIntBE(0, 6)
    }
    return 0
  }

  /** Adds records, by stream in the order of their versions, and moves the reach: one transaction. */
  async add(
    streams: ReadonlyMap<string, readonly PlacedRecord[]>,
    milestones: readonly Milestone[],
    reach: IndexReach,
  ): Promise<void> {
    const puts: { key: Buffer; value: Buffer }[] = []
    const commands = new Map<string, { key: Buffer; versions: number[] }>()
    for (const [streamId, records] of streams) this.#addStream(streamId, records, puts, commands)
    for (const { key, versions } of commands.values()) {
      const old = this.#db.getBinary(key) ?? Buffer.alloc(0)
      const value = Buffer.alloc(versions.length * 4)
      for (const [index, version] of versions.entries()) value.writeUInt32BE(version, index * 4)
      puts.push({ key, value: Buffer.concat([old, value]) })
    }
    for (const { offset, place } of milestones) {
      const value = Buffer.alloc(6)
      value.writeUIntBE(place, 0, 6)
      puts.push({ key: offsetKey(offset), value })
    }
    puts.sort((a, b) => Buffer.compare(a.key, b.key)) // neighbours share pages
    puts.push({ key: reachKey, value: Buffer.from(JSON.stringify(reach)) })
    // All puts of one turn of the event loop are one transaction, worked off by a thread of lmdb's own.
    const written = new Set(puts.map(({ key, value }) => this.#db.put(key, value)))
    await Promise.all(written)
  }

  #addStream(
    streamId: string,
    records: readonly PlacedRecord[],
    puts: { key: Buffer; value: Buffer }[],
    commands: Map<string, { key: Buffer; versions: number[] }>,
  ): void {
    const key = streamKey(streamId)
    const head = this.#db.getBinary(key)
    let full = head === undefined ? 0 : head.readUInt32BE(0)
    let count = head === undefined ? 0 : (head.length - headSize) / entrySize
    const room = Math.min(perChunk, count + records.length)
    let chunk = Buffer.alloc(headSize + room * entrySize)
    head?.copy(chunk)
    chunk.writeUInt32BE(full, 0)
    for (const [index, { version, place, commandHash }] of records.entries()) {
      if (version <= full * perChunk + count) continue // indexed before
      if (count === perChunk) {
        puts.push({ key: chunkKey(streamId, full), value: chunk })
        for (let at = headSize; at < chunk.length; at += entrySize) {
          const hash = chunk.readUInt32BE(at + 6)
          const name = `${hash} ${streamId}`
          const known = commands.get(name) ?? { key: commandKey(streamId, hash), versions: [] }
          known.versions.push(full * perChunk + (at - headSize) / entrySize + 1)
          commands.set(name, known)
        }
        full++
        count = 0
        chunk = Buffer.alloc(headSize + Math.min(perChunk, records.length - index) * entrySize)
        chunk.writeUInt32BE(full, 0)
      }
      const at = headSize + count * entrySize
      chunk.writeUIntBE(place, at, 6)
      chunk.writeUInt32BE(commandHash, at + 6)
      count++
    }
    puts.push({ key, value: chunk.subarray(0, headSize + count * entrySize) })
  }

  async close(): Promise<void> {
    await this.#db.close()
  }
}

const reachKey = Buffer.from('m')

/** Bytes that a key of lmdb can take, less what stands before the stream id. */
export const maxStreamIdBytes = 1900

function streamKey(streamId: string): Buffer {
  const key = Buffer.allocUnsafe(1 + Buffer.byteLength(streamId))
  key[0] = 0x73
  key.write(streamId, 1)
  return key
}

function numbered(letter: number, number: number, streamId: string): Buffer {
  const key = Buffer.allocUnsafe(5 + Buffer.byteLength(streamId))
  key[0] = letter
  key.writeUInt32BE(number, 1)
  key.write(streamId, 5)
  return key
}

const chunkKey = (streamId: string, chunk: number) => numbered(0x63, chunk, streamId)
const commandKey = (streamId: string, hash: number) => numbered(0x6b, hash, streamId)

function offsetKey(offset: number): Buffer {
  const key = Buffer.allocUnsafe(9)
  key[0] = 0x6f
  key.writeBigUInt64BE(BigInt(offset), 1)
  return key
}
