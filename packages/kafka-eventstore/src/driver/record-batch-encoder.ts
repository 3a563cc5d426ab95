// Writes a record batch (magic 2) into a buffer, without a copy or an object per record.
//
// Two passes: the first sums lengths, so that a frame is allocated once and in full; the second writes.
import { crc32c } from './crc32c.js'
import type { ProducerRecord, RecordBatch } from './kafka-driver.js'

const batchHeaderSize = 61
const crcAt = 17
const attributesAt = 21

/** A batch whose lengths are known: allocate `size` bytes, then {@link MeasuredBatch.writeTo} them. */
export class MeasuredBatch {
  readonly size: number
  readonly batch: RecordBatch
  readonly #bodySizes: Int32Array

  constructor(batch: RecordBatch) {
    const { records } = batch
    this.batch = batch
    this.#bodySizes = new Int32Array(records.length)
    let size = batchHeaderSize
    for (let index = 0; index < records.length; index++) {
      const bodySize = sizeOfBody(records[index]!, index)
      this.#bodySizes[index] = bodySize
      size += sizeOfVarint(bodySize) + bodySize
    }
    this.size = size
  }

  /** Writes the batch at `start`. */
  writeTo(target: Buffer, start: number): void {
    const { identity, records, sequence, time } = this.batch
    const count = records.length
    target.fill(0, start, start + 8) // base offset: the broker's to give
    target.writeInt32BE(this.size - 12, start + 8)
    target.writeInt32BE(-1, start + 12) // leader epoch: the broker's
    target[start + 16] = 2
    target.writeInt16BE(0, start + attributesAt) // no compression, create time, no transaction
    target.writeInt32BE(count - 1, start + 23)
    const timestamp = BigInt(time)
    target.writeBigInt64BE(timestamp, start + 27)
    target.writeBigInt64BE(timestamp, start + 35)
    target.writeBigInt64BE(identity.producerId, start + 43)
    target.writeInt16BE(identity.epoch, start + 51)
    target.writeInt32BE(sequence, start + 53)
    target.writeInt32BE(count, start + 57)
    let at = start + batchHeaderSize
    for (let index = 0; index < count; index++) {
      at = writeVarint(target, at, this.#bodySizes[index]!)
      at = writeBody(target, at, records[index]!, index)
    }
    target.writeInt32BE(crc32c(target, start + attributesAt, start + this.size), start + crcAt)
  }
}

function sizeOfBody(record: ProducerRecord, index: number): number {
  const { headers, key, value } = record
  let size = 1 + 1 + sizeOfVarint(index) + sizeOfBytes(key) + sizeOfBytes(value) + sizeOfVarint(headers.length)
  for (let i = 0; i < headers.length; i++) {
    const header = headers[i]!
    const keySize = sizeOfText(header.key)
    const valueSize = typeof header.value === 'string' ? sizeOfText(header.value) : header.value.length
    size += sizeOfVarint(keySize) + keySize + sizeOfVarint(valueSize) + valueSize
  }
  return size
}

function writeBody(target: Buffer, start: number, record: ProducerRecord, index: number): number {
  const { headers } = record
  target[start] = 0 // attributes
  target[start + 1] = 0 // time, relative to the batch
  let at = writeVarint(target, start + 2, index)
  at = writeBytes(target, at, record.key)
  at = writeBytes(target, at, record.value)
  at = writeVarint(target, at, headers.length)
  for (let i = 0; i < headers.length; i++) {
    const header = headers[i]!
    at = writeText(target, at, header.key)
    at = typeof header.value === 'string' ? writeText(target, at, header.value) : writeBytes(target, at, header.value)
  }
  return at
}

function sizeOfBytes(bytes: Uint8Array | null): number {
  return bytes === null ? 1 : sizeOfVarint(bytes.length) + bytes.length
}

function writeBytes(target: Buffer, start: number, bytes: Uint8Array | null): number {
  if (bytes === null) {
    target[start] = 1 // -1, zigzag
    return start + 1
  }
  const at = writeVarint(target, start, bytes.length)
  target.set(bytes, at)
  return at + bytes.length
}

/** Header texts are short and ASCII: a loop beats the call into native code. */
function sizeOfText(text: string): number {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return Buffer.byteLength(text)
  return text.length
}

function writeText(target: Buffer, start: number, text: string): number {
  const size = sizeOfText(text)
  const at = writeVarint(target, start, size)
  if (size === text.length) for (let i = 0; i < size; i++) target[at + i] = text.charCodeAt(i)
  else target.write(text, at, 'utf8')
  return at + size
}

/** Size of a zigzag varint. Lengths, counts and offset deltas: always below 2^30 here. */
function sizeOfVarint(value: number): number {
  const zigzag = (value << 1) ^ (value >> 31)
  if (zigzag >>> 7 === 0) return 1
  if (zigzag >>> 14 === 0) return 2
  if (zigzag >>> 21 === 0) return 3
  return zigzag >>> 28 === 0 ? 4 : 5
}

function writeVarint(target: Buffer, start: number, value: number): number {
  let rest = ((value << 1) ^ (value >> 31)) >>> 0
  let at = start
  while (rest > 0x7f) {
    target[at++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  target[at++] = rest
  return at
}
