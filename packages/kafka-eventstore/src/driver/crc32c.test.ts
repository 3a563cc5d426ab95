import fc from 'fast-check'
import { expect, test } from 'vitest'
import { crc32c } from './crc32c.js'

/** RFC 3720, appendix B.4. */
const known: [string, Buffer, number][] = [
  ['32 zeros', Buffer.alloc(32), 0x8a9136aa],
  ['32 ones', Buffer.alloc(32, 0xff), 0x62a8ab43],
  ['ascending', Buffer.from(Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e],
  ['descending', Buffer.from(Array.from({ length: 32 }, (_, i) => 31 - i)), 0x113fdb5c],
  ['123456789', Buffer.from('123456789'), 0xe3069283],
]

test.each(known)('the checksum of %s is the standard’s', (_, bytes, checksum) => {
  expect(crc32c(bytes) >>> 0).toBe(checksum)
})

test('eight bytes a step agree with one bit a step, wherever they start and end', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(20), fc.nat(20), (bytes, skip, cut) => {
      const start = Math.min(skip, bytes.length)
      const end = Math.max(start, bytes.length - cut)
      expect(crc32c(bytes, start, end)).toBe(bitByBit(bytes.subarray(start, end)))
    }),
  )
})

function bitByBit(bytes: Uint8Array): number {
  let crc = -1
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
  }
  return ~crc
}
