// The bytes on disk: frames, each the events of one atomic step; and records, each one event.
//
//   frame:   magic u32 · length of the whole u32 · crc32 u32 · next offset f64 · count u32 · claim · records
//   record:  length of the whole u32 · version u32 · offset f64 · time f64 · schema version u32 · texts · data
//
// A text is its length as u16 and UTF-8. The checksum covers the place of the frame in the file, too: bytes that
// happen to look like a frame (a copy of one in an event, say) are none anywhere else.
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
  readonly bytes: Buffer
}

/** A frame that was read. */
export interface Frame {
  readonly place: number
  readonly length: number
  readonly point: LocalPoint
  readonly records: readonly Buffer[]
}

const magic = 0x4e56_4c31 // NVL1
const frameHead = 24
const recordHead = 28
const none = 0xffff

/** One step's events as a frame for this place in the file. */
export function encodeFrame(events: readonly RecordedEvent[], point: LocalPoint, place: number) {
  const claimSize = textSize(point.claim)
  let length = frameHead + claimSize
  for (const event of events) length += recordSize(event)
  const bytes = Buffer.allocUnsafe(length)
  bytes.writeUInt32BE(magic, 0)
  bytes.writeUInt32BE(length, 4)
  bytes.writeDoubleBE(point.offset, 12)
  bytes.writeUInt32BE(events.length, 20)
  let at = writeText(bytes, frameHead, point.claim)
  const records: PlacedRecord[] = []
  for (const event of events) {
    const start = at
    at = writeRecord(bytes, at, event)
    records.push({
      streamId: event.streamId,
      version: event.version,
      place: place + start,
      commandHash: hashOf(event.metadata.commandId),
      bytes: bytes.subarray(start, at),
    })
  }
  const whole = at === length ? bytes : bytes.subarray(0, at)
  whole.writeUInt32BE(at, 4)
  whole.writeUInt32BE(checksum(whole, place), 8)
  return { bytes: whole, records }
}

/** The length a frame claims to have, or undefined where no frame begins. */
export function frameLength(bytes: Buffer, at: number): number | undefined {
  if (bytes.length < at + frameHead || bytes.readUInt32BE(at) !== magic) return undefined
  const length = bytes.readUInt32BE(at + 4)
  return length < frameHead + 2 ? undefined : length
}

/** The frame in these bytes; undefined when they are not what was once written at that place. */
export function decodeFrame(bytes: Buffer, place: number): Frame | undefined {
  if (frameLength(bytes, 0) !== bytes.length || bytes.readUInt32BE(8) !== checksum(bytes, place)) return undefined
  const count = bytes.readUInt32BE(20)
  const text = new Texts(bytes, frameHead)
  const point = { offset: bytes.readDoubleBE(12), claim: text.next() ?? null }
  const records: Buffer[] = []
  for (let at = text.at; records.length < count; ) {
    const length = bytes.readUInt32BE(at)
    records.push(bytes.subarray(at, at + length))
    at += length
  }
  return { place, length: bytes.length, point, records }
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
    schemaVersion: bytes.readUInt32BE(24),
    contentType,
    data: bytes.subarray(text.at),
    streamId,
    version: bytes.readUInt32BE(4),
    position: { topic, partition, offset: bytes.readDoubleBE(8) },
    time: bytes.readDoubleBE(16),
    metadata: traceparent === undefined ? ids : { ...ids, traceparent },
  }
}

/** What the index needs of a record that was read back. */
export function placeRecord(bytes: Buffer, place: number): PlacedRecord {
  const text = new Texts(bytes, recordHead)
  const streamId = text.next() ?? ''
  const commandHash = hashOf(text.next() ?? '')
  return { streamId, version: bytes.readUInt32BE(4), place, commandHash, bytes }
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
  bytes.writeUInt32BE(event.version, start + 4)
  bytes.writeDoubleBE(event.position.offset, start + 8)
  bytes.writeDoubleBE(event.time, start + 16)
  bytes.writeUInt32BE(event.schemaVersion, start + 24)
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
}

function checksum(bytes: Buffer, place: number): number {
  return crc32(bytes.subarray(12), crc32(`${place}`))
}
