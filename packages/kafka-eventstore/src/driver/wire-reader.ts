// Reads the plain (non-compact) types of the Kafka protocol in order.

/** A cursor over an answer. */
export class WireReader {
  at = 0

  constructor(readonly bytes: Buffer) {}

  int8(): number {
    return this.bytes.readInt8(this.at++)
  }

  int16(): number {
    this.at += 2
    return this.bytes.readInt16BE(this.at - 2)
  }

  int32(): number {
    this.at += 4
    return this.bytes.readInt32BE(this.at - 4)
  }

  /** Exact below 2^53, which an offset or a time never reaches. */
  int64(): number {
    this.at += 8
    return readInt64(this.bytes, this.at - 8)
  }

  text(): string | null {
    const size = this.int16()
    if (size < 0) return null
    this.at += size
    return this.bytes.toString('utf8', this.at - size, this.at)
  }

  /** A view; empty for null. */
  view(): Buffer {
    const size = Math.max(0, this.int32())
    this.at += size
    return this.bytes.subarray(this.at - size, this.at)
  }

  array<T>(element: () => T): T[] {
    const result: T[] = []
    for (let left = this.int32(); left > 0; left--) result.push(element())
    return result
  }
}

/** A 64-bit integer as a number: exact below 2^53. */
export function readInt64(bytes: Buffer, at: number): number {
  return bytes.readInt32BE(at) * 0x1_0000_0000 + bytes.readUInt32BE(at + 4)
}
