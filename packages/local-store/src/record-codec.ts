// The bytes on disk: frames, each the events of one atomic step; and records, each one event.
//
//   frame:   magic u32 · length of the whole u32 · crc32 of the head u32 · next offset f64 · count u32 · claim · records
//   record:  length of the whole u32 · crc32 u32 · version u32 · offset f64 · time f64 · schema version u32 · texts · data
//
// A text is its length as u16 and UTF-8. Every record has a checksum of its own, so that it is checked whenever it is
// read, however it was found. Checksums cover the place in the file, too: bytes that happen to look like a frame (a copy
// of one in an event, say) are none anywhere else, and a record that was looked for elsewhere is not taken for the one.
import { crc32 } from 'node:zlib'
import type { RecordedEvent } from '@narrative/core'

/** Where a partition stands after a frame. */
export interface LocalPoint {
  /** The next offset. */
  readonly offset: number
  /** The claim in force there; null where there are no claims. */
  readonly claim: string | null
}

/** A record and where it is, for the index. */
export interface PlacedRecord {
  readonly streamId: string
  readonly version: number
  /** Where its bytes begin in the file. */
  readonly place: number
  readonly commandHash: number
  /** The record itself, while it is not in the file yet. */
  bytes: Buffer | undefined
}

/** A frame that was read. */
export interface Frame {
  readonly place: number
  readonly length: number
  readonly point: LocalPoint
  readonly records: readonly Buffer[]
  /** Where the first record begins; the others follow without a gap. */
  readonly recordsAt: number
}

const magic = 0x4e56_4c31 // NVL1
const frameHead = 24
/** Bytes of a record before its texts. */
export const recordHead = 32
const none = 0xffff

/** One step's events as a frame for this place in the file. */
export function encodeFrame(events: readonly RecordedEvent[], point: LocalPoint, place: number) {
  let length = frameHead + textSize(point.claim)
  for (const event of events) length += recordSize(event)
  const bytes = Buffer.allocUnsafe(length)
  bytes.writeUInt32BE(magic, 0)
  bytes.writeDoubleBE(point.offset, 12)
  bytes.writeUInt32BE(events.length, 20)
  const recordsAt = writeText(bytes, frameHead, point.claim)
  let at = recordsAt
  const records: PlacedRecord[] = []
  for (const event of events) {
    const start = at
    at = writeRecord(bytes, at, event)
    const record = bytes.subarray(start, at)
    record.writeUInt32BE(checksum(record, 8, record.length, place + start), 4)
    records.push({
      streamId: event.streamId,
      version: event.version,
      place: place + start,
      commandHash: hashOf(event.metadata.commandId),
      bytes: record,
    })
  }
  bytes.writeUInt32BE(at, 4)
  bytes.writeUInt32BE(headChecksum(bytes, recordsAt, place), 8)
  return { bytes: at === length ? bytes : bytes.subarray(0, at), records }
}

/** The length a frame claims to have, or undefined where no frame begins. */
export function frameLength(bytes: Buffer, at: number): number | undefined {
  if (bytes.length < at + frameHead || bytes.readUInt32BE(at) !== magic) return undefined
  const length = bytes.readUInt32BE(at + 4)
  return length < frameHead + 2 ? undefined : length
}

/** The frame in these bytes; undefined when they are not what was once written at that place. */
export function decodeFrame(bytes: Buffer, place: number): Frame | undefined {
  if (frameLength(bytes, 0) !== bytes.length) return undefined
  const claimLength = bytes.readUInt16BE(frameHead)
  const recordsAt = frameHead + 2 + (claimLength === none ? 0 : claimLength)
  if (recordsAt > bytes.length || bytes.readUInt32BE(8) !== headChecksum(bytes, recordsAt, place)) return undefined
  const point = { offset: bytes.readDoubleBE(12), claim: new Texts(bytes, frameHead).next() ?? null }
  const count = bytes.readUInt32BE(20)
  const records: Buffer[] = []
  let at = recordsAt
  for (; records.length < count; at += records.at(-1)!.length) {
    if (at + recordHead > bytes.length) return undefined
    const record = bytes.subarray(at, at + bytes.readUInt32BE(at))
    if (!holds(record, place + at)) return undefined
    records.push(record)
  }
  return at === bytes.length ? { place, length: at, point, records, recordsAt: place + recordsAt } : undefined
}

/** Whether these bytes are the record that was written at that place. */
export function holds(record: Buffer, place: number): boolean {
  return (
    record.length >= recordHead &&
    record.readUInt32BE(0) === record.length &&
    record.readUInt32BE(4) === checksum(record, 8, record.length, place)
  )
}

/** The event in a record. Its data is a view. */
export function decodeRecord(bytes: Buffer, topic: string, partition: number): RecordedEvent {
  const text = new Texts(bytes, recordHead)
  const streamId = text.next() ?? ''
  const commandId = text.next() ?? ''
  const id = text.next() ?? ''
  const type = text.next() ?? ''
  const contentType = text.next() ?? json
  const correlationId = text.next() ?? commandId
  const causationId = text.next() ?? commandId
  const traceparent = text.next()
  const ids = { commandId, correlationId, causationId }
  return {
    id,
    type,
    schemaVersion: bytes.readUInt32BE(28),
    contentType,
    data: bytes.subarray(text.at),
    streamId,
    version: bytes.readUInt32BE(8),
    position: { topic, partition, offset: bytes.readDoubleBE(12) },
    time: bytes.readDoubleBE(20),
    metadata: traceparent === undefined ? ids : { ...ids, traceparent },
  }
}

/** What the index needs of a record that was read back. */
export function placeRecord(bytes: Buffer, place: number): PlacedRecord {
  const text = new Texts(bytes, recordHead)
  const streamId = text.next() ?? ''
  const commandHash = crc32(text.nextBytes())
  return { streamId, version: bytes.readUInt32BE(8), place, commandHash, bytes: undefined }
}

/** 32 bits of a command id; the record itself decides. */
export function hashOf(commandId: string): number {
  return crc32(commandId)
}

const json = 'application/json'

function recordSize({ streamId, id, type, contentType, data, metadata }: RecordedEvent): number {
  const { commandId, correlationId, causationId, traceparent } = metadata
  // An upper bound for text: three bytes a UTF-16 unit. What is too much is never written.
  const texts = [streamId, commandId, id, type, contentType, correlationId, causationId, traceparent]
  let size = recordHead + data.length
  for (const text of texts) size += 2 + (text === undefined ? 0 : text.length * 3)
  return size
}

function writeRecord(bytes: Buffer, start: number, event: RecordedEvent): number {
  const { commandId, correlationId, causationId, traceparent } = event.metadata
  bytes.writeUInt32BE(event.version, start + 8)
  bytes.writeDoubleBE(event.position.offset, start + 12)
  bytes.writeDoubleBE(event.time, start + 20)
  bytes.writeUInt32BE(event.schemaVersion, start + 28)
  let at = writeText(bytes, start + recordHead, event.streamId)
  at = writeText(bytes, at, commandId)
  at = writeText(bytes, at, event.id)
  at = writeText(bytes, at, event.type)
  at = writeText(bytes, at, event.contentType === json ? null : event.contentType)
  at = writeText(bytes, at, correlationId === commandId ? null : correlationId)
  at = writeText(bytes, at, causationId === commandId ? null : causationId)
  at = writeText(bytes, at, traceparent ?? null)
  bytes.set(event.data, at)
  at += event.data.length
  bytes.writeUInt32BE(at - start, start)
  return at
}

function textSize(text: string | null): number {
  return 2 + (text === null ? 0 : text.length * 3)
}

function writeText(bytes: Buffer, at: number, text: string | null): number {
  if (text === null) return bytes.writeUInt16BE(none, at)
  const length = bytes.write(text, at + 2)
  if (length >= none) throw new RangeError(`A text of ${length} bytes is longer than an event may hold (65,534).`)
  bytes.writeUInt16BE(length, at)
  return at + 2 + length
}

class Texts {
  constructor(
    private readonly bytes: Buffer,
    public at: number,
  ) {}

  next(): string | undefined {
    const length = this.bytes.readUInt16BE(this.at)
    const start = this.at + 2
    if (length === none) {
      this.at = start
      return undefined
    }
    this.at = start + length
    return this.bytes.toString('utf8', start, this.at)
  }

  nextBytes(): Buffer {
    const length = this.bytes.readUInt16BE(this.at)
    const start = this.at + 2
    this.at = length === none ? start : start + length
    return this.bytes.subarray(start, this.at)
  }
}

/** The place is where the sum begins from: as good as if it stood before the bytes. */
function checksum(bytes: Buffer, from: number, to: number, place: number): number {
  return crc32(bytes.subarray(from, to), place % 2 ** 32)
}

/** Of the head of a frame: its length, and what comes after the sum. */
function headChecksum(bytes: Buffer, recordsAt: number, place: number): number {
  return crc32(bytes.subarray(4, 8), checksum(bytes, 12, recordsAt, place))
}
