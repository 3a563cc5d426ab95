import { gzipSync } from 'node:zlib'
import { isNarrativeError } from '@narrative/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { crc32c } from './crc32c.js'
import type { ProducerRecord, RecordBatch, RecordHeader } from './kafka-driver.js'
import { decodeRecordBatches } from './record-batch-decoder.js'
import { MeasuredBatch } from './record-batch-encoder.js'

const source = { topic: 'orders', partition: 3 }

const bytes = fc.uint8Array({ maxLength: 300 })
const header: fc.Arbitrary<RecordHeader> = fc.record({
  key: fc.oneof(fc.string({ maxLength: 20 }), fc.string({ unit: 'grapheme', maxLength: 20 })),
  value: fc.oneof(fc.string({ unit: 'grapheme', maxLength: 100 }), bytes),
})
const record: fc.Arbitrary<ProducerRecord> = fc.record({
  key: fc.option(bytes),
  value: fc.option(fc.oneof(bytes, fc.uint8Array({ minLength: 8190, maxLength: 8200 }))),
  headers: fc.uniqueArray(header, { selector: ({ key }) => key, maxLength: 6 }),
})
const batch: fc.Arbitrary<RecordBatch> = fc.record({
  topic: fc.constant('orders'),
  partition: fc.constant(3),
  identity: fc.record({ producerId: fc.bigInt({ min: 0n, max: 2n ** 62n }), epoch: fc.nat(32_766) }),
  sequence: fc.nat(2 ** 31 - 1),
  time: fc.nat(2 ** 45),
  records: fc.array(record, { minLength: 1, maxLength: 130 }),
})

test('what is encoded is decoded the same', () => {
  fc.assert(
    fc.property(fc.array(batch, { minLength: 1, maxLength: 3 }), (batches) => {
      const log = logOf(batches)
      const { nextOffset, records } = decodeRecordBatches(log, 0, source)
      const sent = batches.flatMap(({ records, time }) => records.map((record) => ({ ...record, time })))
      expect(nextOffset).toBe(sent.length)
      expect(records.map(readable)).toEqual(sent.map(readable))
      const names = (record: ProducerRecord) => record.headers.map(({ key }) => key)
      const got = records.map((record, i) => names(sent[i]!).map((name) => record.header(name)))
      expect(got).toEqual(
        sent.map(({ headers }) => headers.map(({ value }) => Buffer.from(value as string).toString())),
      )
      const bytes = sent.map(({ headers }) => headers.map(({ key, value }) => [key, Buffer.from(value as string)]))
      expect(records.map((record) => record.headers())).toEqual(bytes)
      expect(records.map((record) => record.header('a name nobody uses, because it is long'))).toEqual(
        sent.map(() => undefined),
      )
    }),
  )
})

test('headers are found in whatever order they are asked for, and as often', () => {
  fc.assert(
    fc.property(batch, fc.array(fc.nat(6), { maxLength: 20 }), ({ records: [sent], ...rest }, asked) => {
      const { records } = decodeRecordBatches(logOf([{ ...rest, records: [sent!] }]), 0, source)
      for (const at of asked) {
        const header = sent!.headers[at]
        const value = header && Buffer.from(header.value as string).toString()
        expect(records[0]!.header(header?.key ?? 'a name nobody uses, because it is long')).toBe(value)
      }
    }),
  )
})

test('a fetch from within a batch gets only what was asked for', () => {
  fc.assert(
    fc.property(batch, fc.nat(), (batch, seed) => {
      const from = seed % batch.records.length
      const { nextOffset, records } = decodeRecordBatches(logOf([batch]), from, source)
      expect(records.map(({ offset }) => offset)).toEqual(batch.records.map((_, i) => i).slice(from))
      expect(nextOffset).toBe(batch.records.length)
    }),
  )
})

test('a log cut anywhere gives its whole batches and asks for the rest', () => {
  fc.assert(
    fc.property(batch, batch, fc.nat(), (first, second, seed) => {
      const log = logOf([first, second])
      const firstSize = new MeasuredBatch(first).size
      const cut = firstSize + (seed % (log.length - firstSize))
      const { nextOffset, records } = decodeRecordBatches(log.subarray(0, cut), 0, source)
      expect(nextOffset).toBe(first.records.length)
      expect(records.length).toBe(first.records.length)
    }),
  )
})

test('any flipped bit after the checksum is noticed', () => {
  fc.assert(
    fc.property(batch, fc.nat(), fc.nat(7), (batch, seed, bit) => {
      const log = logOf([batch])
      const at = 17 + (seed % (log.length - 17))
      log[at] = log[at]! ^ (1 << bit)
      expect(() => decodeRecordBatches(log, 0, source)).toThrow(/orders-3 cannot be read: the checksum/)
    }),
  )
})

test('control batches are skipped, and the next offset is past them', () => {
  const control = withAttributes(logOf([simple(2)]), 0x30)
  const data = logOf([simple(1)], 2)
  const { nextOffset, records } = decodeRecordBatches(Buffer.concat([control, data]), 0, source)
  expect(records.map(({ offset }) => offset)).toEqual([2])
  expect(nextOffset).toBe(3)
})

test('a topic that stamps records on arrival gives the time of arrival', () => {
  const log = logOf([simple(1)])
  log.writeBigInt64BE(777n, 35)
  expect(decodeRecordBatches(withAttributes(log, 0x08), 0, source).records[0]!.time).toBe(777)
})

test('gzip is read', () => {
  const plain = logOf([simple(50)])
  const packed = gzipSync(plain.subarray(61))
  const log = Buffer.concat([plain.subarray(0, 61), packed])
  log.writeInt32BE(log.length - 12, 8)
  const { records } = decodeRecordBatches(withAttributes(log, 0x01), 0, source)
  expect(records.length).toBe(50)
  expect(records[49]!.header('n')).toBe('49')
})

test.each([
  [2, 'snappy'],
  [3, 'lz4'],
  [4, 'zstd'],
])('codec %i is refused by its name, %s', (codec, name) => {
  const error = thrownBy(() => decodeRecordBatches(withAttributes(logOf([simple(1)], 41), codec), 41, source))
  expect(isNarrativeError(error, 'LOG_CORRUPT')).toBe(true)
  expect(String(error)).toContain(`offset 41 of orders-3 cannot be read: it is compressed with ${name}`)
})

test('damaged lengths do not run on', () => {
  const log = logOf([simple(1)])
  log[61] = 0x7e // the record claims 63 bytes
  expect(() => decodeRecordBatches(withAttributes(log, 0), 0, source)).toThrow(/reaches past its batch/)
})

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')

function readable({ key, time, value }: { key: Uint8Array | null; value: Uint8Array | null; time: number }, i: number) {
  return `${i} ${time} ${key && hex(key)} ${value && hex(value)}`
}

function simple(count: number): RecordBatch {
  const records = Array.from({ length: count }, (_, n) => ({
    key: Buffer.from(`k${n}`),
    value: Buffer.from('v'),
    headers: [{ key: 'n', value: String(n) }],
  }))
  return { topic: 'orders', partition: 3, identity: { producerId: 1n, epoch: 0 }, sequence: 0, time: 5, records }
}

/** The batches as a broker stores them: with the base offsets it gives. */
function logOf(batches: readonly RecordBatch[], baseOffset = 0): Buffer {
  let next = baseOffset
  return Buffer.concat(
    batches.map((batch) => {
      const measured = new MeasuredBatch(batch)
      const target = Buffer.alloc(measured.size + 2)
      measured.writeTo(target, 1)
      expect([target[0], target.at(-1)]).toEqual([0, 0]) // stays within its size
      target.writeBigInt64BE(BigInt(next), 1)
      next += batch.records.length
      return target.subarray(1, -1)
    }),
  )
}

function withAttributes(log: Buffer, attributes: number): Buffer {
  const changed = Buffer.from(log)
  changed.writeInt16BE(attributes, 21)
  changed.writeInt32BE(crc32c(changed, 21, 12 + changed.readInt32BE(8)), 17)
  return changed
}

function thrownBy(action: () => unknown): unknown {
  try {
    action()
  } catch (error) {
    return error
  }
  return undefined
}
