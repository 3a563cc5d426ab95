// Where the records of each stream are: a tree of lmdb, read through the memory map. It can be made anew from the file.
//
//   s <stream id>          the newest chunk of a stream: entries of place u48 and command hash u32, 64 at the most
//   c <chunk> <stream id>  full chunks
//   k <hash> <stream id>   versions of commands in full chunks, u32 each
//   p <stream id>          the snapshot of a stream (local-snapshots.ts); not counted, for it may be forgotten
//   o <offset>             where in the file the frame with this offset begins; a few, to begin reading near an offset
//   m                      what the index reaches to, and how much it holds
//
// Most streams are short: one entry in the tree for each of them. Every value begins with a checksum of key and value:
// with these, and with what `m` counts, a walk through the tree tells whether anything in it is missing or wrong.
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { open, type RootDatabase } from 'lmdb'
import {
  chunkKey,
  commandKey,
  compareIds,
  isChunkKey,
  isCommandKey,
  isStreamKey,
  offsetKey,
  reachKey,
  snapshotKey,
  streamKey,
} from './index-keys.js'
import type { LocalPoint, PlacedRecord } from './record-codec.js'
import { checkTree } from './tree-check.js'

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

/** How much is in the tree. */
interface Holdings {
  readonly events: number
  readonly chunks: number
}

const perChunk = 64
const entrySize = 10
/** Bytes of a value before its content. */
const sumSize = 4
const headSize = sumSize + 4
/** The newest chunk of a stream that has none. */
const noHead = Buffer.alloc(headSize)

export class StreamIndex {
  readonly #db: RootDatabase<Buffer, Buffer>
  #holdings: Holdings = { events: 0, chunks: 0 }
  readonly #heads = new RecentHeads()

  /** Only of a directory that is empty or was checked: lmdb believes its file, and a damaged one ends the process. */
  constructor(directory: string) {
    this.#db = open<Buffer, Buffer>({
      path: directory,
      keyEncoding: 'binary',
      encoding: 'binary',
      cache: false,
      // A commit is with the system before the next one begins, so it outlives the process. For the machine: index-state.ts.
      noSync: true,
      maxReaders: 32,
    })
    const { events = 0, chunks = 0 } = this.#meta() ?? {}
    this.#holdings = { events, chunks }
  }

  /**
   * Looks at every byte that matters: pages and their order (tree-check.ts), each value by its checksum, and all of them
   * by their number.
   * @returns why the index in a directory is not to be believed; undefined when it is
   */
  static doubt(directory: string): string | undefined {
    const held = { events: 0, chunks: 0, chunksNamed: 0, commands: 0 }
    let meta: Holdings = { events: 0, chunks: 0 }
    let wrong = 0
    const damage = checkTree(join(directory, 'data.mdb'), (key, value) => {
      if (value.length < sumSize || value.readUInt32BE(0) !== sumOf(key, value)) wrong++
      else if (isStreamKey(key)) {
        held.events += fullOf(value) * perChunk + entriesOf(value)
        held.chunksNamed += fullOf(value)
      } else if (isChunkKey(key)) held.chunks++
      else if (isCommandKey(key)) held.commands += (value.length - sumSize) / 4
      else if (key.equals(reachKey)) meta = JSON.parse(value.toString('utf8', sumSize))
    })
    if (damage !== undefined) return damage
    if (wrong > 0) return `${wrong} of its entries are damaged`
    const { events, chunks, chunksNamed, commands } = held
    const complete =
      events === meta.events && chunks === meta.chunks && chunks === chunksNamed && commands === chunks * perChunk
    return complete ? undefined : 'entries are missing'
  }

  get reach(): IndexReach | undefined {
    return this.#meta()?.reach
  }

  version(streamId: string): number {
    const head = this.#head(streamId)
    return fullOf(head) * perChunk + entriesOf(head)
  }

  /** Places of the records of these versions, both included. */
  places(streamId: string, from: number, to: number): number[] {
    const places: number[] = []
    const head = this.#head(streamId)
    const full = fullOf(head)
    let bytes: Buffer | undefined = head
    let chunk = full
    for (let version = from; version <= to; version++) {
      const number = Math.floor((version - 1) / perChunk)
      if (number !== chunk) {
        chunk = number
        bytes = number === full ? head : this.#get(chunkKey(streamId, number))
      }
      const at = headSize + ((version - 1) % perChunk) * entrySize
      if (bytes === undefined || at >= bytes.length) break
      places.push(bytes.readUIntBE(at, 6))
    }
    return places
  }

  /** Versions whose command may be the one with this hash; rising. */
  candidates(streamId: string, hash: number): number[] {
    const versions: number[] = []
    const head = this.#head(streamId)
    const full = fullOf(head)
    for (let at = headSize; at < head.length; at += entrySize) {
      if (head.readUInt32BE(at + 6) === hash) versions.push(full * perChunk + (at - headSize) / entrySize + 1)
    }
    if (full === 0) return versions
    const old: number[] = []
    const bytes = this.#get(commandKey(streamId, hash))
    for (let at = sumSize; bytes !== undefined && at < bytes.length; at += 4) old.push(bytes.readUInt32BE(at))
    return [...old, ...versions]
  }

  snapshot(streamId: string): Buffer | undefined {
    return this.#get(snapshotKey(streamId))?.subarray(sumSize)
  }

  /** Where to begin reading the file for an offset. */
  placeBefore(offset: number): number {
    const range = { start: offsetKey(offset), end: offsetKey(0), reverse: true, limit: 1 }
    for (const { value } of this.#db.getRange(range)) return value.readUIntBE(sumSize, 6)
    return 0
  }

  /**
   * Adds records, by stream in the order of their versions, and moves the reach: one transaction.
   * @param snapshots of versions it reaches to; undefined for one that is to be forgotten
   */
  async add(
    streams: ReadonlyMap<string, readonly PlacedRecord[]>,
    milestones: readonly Milestone[],
    reach: IndexReach,
    snapshots: ReadonlyMap<string, Buffer | undefined> = new Map(),
  ): Promise<void> {
    const written = new Set<Promise<boolean>>()
    const put = (key: Buffer, value: Buffer) => {
      value.writeUInt32BE(sumOf(key, value), 0)
      written.add(this.#db.put(key, value))
    }
    let { events, chunks } = this.#holdings
    // Neighbours share pages: what goes in in the order of the tree dirties each page once.
    for (const streamId of [...streams.keys()].sort(compareIds)) {
      const added = this.#addStream(streamId, streams.get(streamId)!, put)
      events += added.events
      chunks += added.chunks
    }
    for (const { offset, place } of milestones) {
      const value = Buffer.alloc(sumSize + 6)
      value.writeUIntBE(place, sumSize, 6)
      put(offsetKey(offset), value)
    }
    for (const [streamId, bytes] of snapshots) {
      const key = snapshotKey(streamId)
      if (bytes === undefined) written.add(this.#db.remove(key))
      else put(key, Buffer.concat([Buffer.alloc(sumSize), bytes]))
    }
    put(reachKey, Buffer.from(`0000${JSON.stringify({ reach, events, chunks })}`))
    this.#holdings = { events, chunks }
    // All puts of one turn of the event loop are one transaction, worked off by a thread of lmdb's own.
    await Promise.all(written)
  }

  async close(): Promise<void> {
    await this.#db.close()
  }

  #addStream(streamId: string, records: readonly PlacedRecord[], put: (key: Buffer, value: Buffer) => void): Holdings {
    const head = this.#head(streamId)
    let full = fullOf(head)
    let count = entriesOf(head)
    const version = full * perChunk + count
    // Records that are here already come again when the tail of the file is read twice.
    const fresh = records[0]!.version > version ? records : records.filter((record) => record.version > version)
    let chunk = Buffer.alloc(headSize + Math.min(perChunk, count + fresh.length) * entrySize)
    head.copy(chunk)
    let chunks = 0
    const commands = new Map<number, number[]>()
    for (const [index, { place, commandHash }] of fresh.entries()) {
      if (count === perChunk) {
        for (let at = headSize; at < chunk.length; at += entrySize) {
          const hash = chunk.readUInt32BE(at + 6)
          const filled = full * perChunk + (at - headSize) / entrySize + 1
          const known = commands.get(hash)
          if (known === undefined) commands.set(hash, [filled])
          else known.push(filled)
        }
        put(chunkKey(streamId, full), chunk)
        chunks++
        full++
        count = 0
        chunk = Buffer.alloc(headSize + Math.min(perChunk, fresh.length - index) * entrySize)
        chunk.writeUInt32BE(full, sumSize)
      }
      const at = headSize + count * entrySize
      chunk.writeUIntBE(place, at, 6)
      chunk.writeUInt32BE(commandHash, at + 6)
      count++
    }
    put(streamKey(streamId), chunk)
    this.#heads.set(streamId, chunk)
    for (const [hash, versions] of commands) this.#addCommands(commandKey(streamId, hash), versions, put)
    return { events: fresh.length, chunks }
  }

  /** The commands of full chunks have entries of their own, so that they are found without reading those. */
  #addCommands(key: Buffer, versions: readonly number[], put: (key: Buffer, value: Buffer) => void): void {
    const old = this.#get(key)
    const from = old?.length ?? sumSize
    const value = Buffer.alloc(from + versions.length * 4)
    old?.copy(value)
    for (const [index, version] of versions.entries()) value.writeUInt32BE(version, from + index * 4)
    put(key, value)
  }

  #meta(): { reach: IndexReach; events: number; chunks: number } | undefined {
    const bytes = this.#get(reachKey)
    return bytes === undefined ? undefined : JSON.parse(bytes.toString('utf8', sumSize))
  }

  #head(streamId: string): Buffer {
    const known = this.#heads.get(streamId)
    if (known !== undefined) return known
    const head = this.#get(streamKey(streamId)) ?? noHead
    this.#heads.set(streamId, head)
    return head
  }

  /** The value, checksum and all. A copy. */
  #get(key: Buffer): Buffer | undefined {
    return this.#db.getBinary(key)
  }
}

/** The newest chunks of the streams that were asked for last: each command asks for those of its stream, more than once. */
class RecentHeads {
  /** When there are so many, those not asked for since there were so many the last time are forgotten. */
  static readonly most = 2_048
  #young = new Map<string, Buffer>()
  #old = new Map<string, Buffer>()

  get(streamId: string): Buffer | undefined {
    const young = this.#young.get(streamId)
    if (young !== undefined) return young
    const old = this.#old.get(streamId)
    if (old !== undefined) this.set(streamId, old)
    return old
  }

  set(streamId: string, head: Buffer): void {
    if (this.#young.size >= RecentHeads.most) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(streamId, head)
  }
}

const fullOf = (head: Buffer) => head.readUInt32BE(sumSize)
const entriesOf = (head: Buffer) => (head.length - headSize) / entrySize

function sumOf(key: Buffer, value: Buffer): number {
  return crc32(value.subarray(sumSize), crc32(key))
}
