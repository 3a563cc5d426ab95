// Reads the record batches of a Fetch answer into records that are views over it.
//
// The checksum is verified: it costs a few percent of a fetch, and a wrong byte would become state.
import { gunzipSync } from 'node:zlib'
import { NarrativeError } from '@narrative/core'
import { crc32c } from './crc32c.js'
import type { FetchedRecord } from './kafka-driver.js'
import { readInt64 } from './wire-reader.js'

const codecNames = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
const headerSize = 61
const logAppendTime = 0x08
const controlBatch = 0x20

/** Where the batches come from, for error messages. */
export interface BatchSource {
  readonly topic: string
  readonly partition: number
}

/** The data records at or after `from`, and the offset after everything read. */
export interface DecodedBatches {
  readonly records: FetchedRecord[]
  readonly nextOffset: number
}

/**
 * Decodes whole batches; a truncated one at the end (a broker may cut there) is left for the next fetch.
 *
 * @throws NarrativeError `LOG_CORRUPT` on a wrong checksum, an old message format or an unsupported codec
 */
export function decodeRecordBatches(bytes: Buffer, from: number, source: BatchSource): DecodedBatches {
  const records: FetchedRecord[] = []
  let nextOffset = from
  let at = 0
  while (bytes.length - at >= headerSize) {
    const end = at + 12 + bytes.readInt32BE(at + 8)
    if (end > bytes.length) break
    const baseOffset = readInt64(bytes, at)
    checkFormat(bytes, at, end, baseOffset, source)
    const attributes = bytes.readInt16BE(at + 21)
    const after = baseOffset + bytes.readInt32BE(at + 23) + 1
    if (after > from && (attributes & controlBatch) === 0) {
      const count = bytes.readInt32BE(at + 57)
      const plain = attributes & 0x07 ? decompress(bytes, at, end, attributes & 0x07, source) : bytes
      const first = plain === bytes ? at + headerSize : 0
      const last = plain === bytes ? end : plain.length
      const fixedTime = attributes & logAppendTime ? readInt64(bytes, at + 35) : undefined
      const reader = new RecordReader(plain, first, last, baseOffset, readInt64(bytes, at + 27), fixedTime)
      if (!reader.readInto(records, count, from)) throw corrupt(source, baseOffset, 'a record reaches past its batch')
    }
    if (after > nextOffset) nextOffset = after
    at = end
  }
  return { records, nextOffset }
}

/**
 * A record as views. Headers are looked through only when asked for, each time from where the last search ended: who
 * reads them in their order passes each of them once.
 */
class RecordView implements FetchedRecord {
  #headersAt = -1
  #count = 0
  #next = 0
  #nextAt = 0

  constructor(
    readonly offset: number,
    readonly time: number,
    readonly key: Buffer | null,
    readonly value: Buffer | null,
    private readonly bytes: Buffer,
    private readonly countAt: number,
  ) {}

  header(name: string): string | undefined {
    const { bytes } = this
    search.bytes = bytes
    if (this.#headersAt < 0) {
      search.at = this.countAt
      this.#count = search.varint()
      this.#headersAt = search.at
      this.#nextAt = search.at
    }
    search.at = this.#nextAt
    for (let left = this.#count; left > 0; left--) {
      if (this.#next === this.#count) {
        this.#next = 0
        search.at = this.#headersAt
      }
      this.#next++
      const nameSize = search.varint()
      const nameAt = search.at
      search.at += nameSize
      const valueSize = search.varint()
      const valueAt = search.at
      if (valueSize > 0) search.at += valueSize
      if (!isText(bytes, nameAt, nameSize, name)) continue
      this.#nextAt = search.at
      return valueSize < 0 ? undefined : bytes.toString('utf8', valueAt, search.at)
    }
    this.#nextAt = search.at
    return undefined
  }

  headers(): readonly (readonly [string, Buffer | null])[] {
    const cursor = new Cursor(this.bytes, this.countAt)
    return Array.from({ length: cursor.varint() }, () => {
      const name = cursor.view()?.toString() ?? ''
      return [name, cursor.view()] as const
    })
  }
}

class Cursor {
  constructor(
    public bytes: Buffer,
    public at: number,
  ) {}

  /** A zigzag varint of up to 32 bits. */
  varint(): number {
    const { bytes } = this
    let byte = bytes[this.at++]!
    if (byte < 0x80) return (byte >>> 1) ^ -(byte & 1)
    let value = byte & 0x7f
    for (let shift = 7; byte >= 0x80 && shift < 35; shift += 7) {
      byte = bytes[this.at++]!
      value |= (byte & 0x7f) << shift
    }
    return (value >>> 1) ^ -(value & 1)
  }

  /** A zigzag varint of up to 64 bits, exact below 2^53. */
  varlong(): number {
    const { bytes } = this
    let byte = bytes[this.at++]!
    if (byte < 0x80) return (byte >>> 1) ^ -(byte & 1)
    let value = byte & 0x7f
    for (let factor = 128; byte >= 0x80 && factor < 2 ** 64; factor *= 128) {
      byte = bytes[this.at++]!
      value += (byte & 0x7f) * factor
    }
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }

  view(): Buffer | null {
    const size = this.varint()
    if (size < 0) return null
    const start = this.at
    this.at += size
    return this.bytes.subarray(start, this.at)
  }
}

/** One for all searches: each is over before the next begins. */
const search = new Cursor(Buffer.alloc(0), 0)

class RecordReader {
  readonly #cursor: Cursor

  constructor(
    readonly bytes: Buffer,
    first: number,
    readonly last: number,
    readonly baseOffset: number,
    readonly baseTime: number,
    readonly fixedTime: number | undefined,
  ) {
    this.#cursor = new Cursor(bytes, first)
  }

  /** False when the lengths do not fit the bytes. */
  readInto(records: FetchedRecord[], count: number, from: number): boolean {
    const cursor = this.#cursor
    for (let index = 0; index < count; index++) {
      const size = cursor.varint()
      const end = cursor.at + size
      if (!(end <= this.last && size >= 6)) return false
      cursor.at++ // attributes
      const time = this.baseTime + cursor.varlong()
      const offset = this.baseOffset + cursor.varint()
      if (offset >= from) {
        const key = cursor.view()
        const value = cursor.view()
        if (cursor.at >= end) return false
        records.push(new RecordView(offset, this.fixedTime ?? time, key, value, this.bytes, cursor.at))
      }
      cursor.at = end
    }
    return true
  }
}

function isText(bytes: Buffer, start: number, size: number, text: string): boolean {
  if (size === text.length) {
    let i = 0
    while (i < size && bytes[start + i] === text.charCodeAt(i)) i++
    return i === size
  }
  return size > text.length && bytes.toString('utf8', start, start + size) === text
}

function checkFormat(bytes: Buffer, at: number, end: number, baseOffset: number, source: BatchSource): void {
  const magic = bytes[at + 16]!
  if (magic !== 2) throw corrupt(source, baseOffset, `message format ${magic} is older than Kafka 0.11`)
  if (end - at < headerSize) throw corrupt(source, baseOffset, 'the batch is shorter than its header')
  if (crc32c(bytes, at + 21, end) !== bytes.readInt32BE(at + 17)) {
    throw corrupt(source, baseOffset, 'the checksum does not match')
  }
}

function decompress(bytes: Buffer, at: number, end: number, codec: number, source: BatchSource): Buffer {
  if (codec === 1) {
    try {
      return gunzipSync(bytes.subarray(at + headerSize, end))
    } catch (cause) {
      throw corrupt(source, readInt64(bytes, at), 'its gzip data is damaged', cause)
    }
  }
  const name = codecNames[codec] ?? `codec ${codec}`
  const remedy = 'Write to this topic uncompressed or with gzip, and set compression.type to producer.'
  throw corrupt(source, readInt64(bytes, at), `it is compressed with ${name}, which cannot be read. ${remedy}`)
}

function corrupt(source: BatchSource, offset: number, reason: string, cause?: unknown): NarrativeError {
  const { topic, partition } = source
  const message = `The record batch at offset ${offset} of ${topic}-${partition} cannot be read: ${reason}`
  return new NarrativeError('LOG_CORRUPT', { message, details: { topic, partition, offset }, cause })
}
