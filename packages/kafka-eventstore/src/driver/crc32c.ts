// CRC-32C (Castagnoli, RFC 3720 appendix B.4), the checksum of Kafka record batches.
//
// Slicing-by-8: eight tables, eight bytes a step. Node has crc32 in zlib, but not this polynomial.
const tables = makeTables()

/** CRC-32C of `bytes[start, end)`, as a signed 32-bit integer. */
export function crc32c(bytes: Uint8Array, start = 0, end = bytes.length): number {
  const t = tables
  let crc = -1
  let at = start
  for (const last = end - 7; at < last; at += 8) {
    const low = crc ^ (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24))
    crc =
      t[0x700 | (low & 0xff)]! ^
      t[0x600 | ((low >>> 8) & 0xff)]! ^
      t[0x500 | ((low >>> 16) & 0xff)]! ^
      t[0x400 | (low >>> 24)]! ^
      t[0x300 | bytes[at + 4]!]! ^
      t[0x200 | bytes[at + 5]!]! ^
      t[0x100 | bytes[at + 6]!]! ^
      t[bytes[at + 7]!]!
  }
  for (; at < end; at++) crc = (crc >>> 8) ^ t[(crc ^ bytes[at]!) & 0xff]!
  return ~crc
}

function makeTables(): Int32Array {
  const result = new Int32Array(8 * 256)
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
    result[byte] = crc
  }
  for (let byte = 0; byte < 256; byte++) {
    for (let table = 1; table < 8; table++) {
      const previous = result[(table - 1) * 256 + byte]!
      result[table * 256 + byte] = (previous >>> 8) ^ result[previous & 0xff]!
    }
  }
  return result
}
