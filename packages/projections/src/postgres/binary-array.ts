// Arrays for `unnest`, in Postgres' binary format: one parameter per column whatever the number of rows, nothing to escape
// and little to parse. Layout: dimensions, has-null flag, element type, length, lower bound, then each element with its size.
// (PostgreSQL documentation, "Frontend/Backend Protocol", binary representations follow each type's send function.)
import type { SqlType } from '../table/column-type.js'

interface ElementCodec {
  /** The element's type id in Postgres' catalogue. */
  readonly oid: number
  /** The array type to name in the statement. */
  readonly array: string
  /** What to do with an element of it to get the column's type. */
  readonly cast: string
  write(to: Writer, value: any): void
}

/** A buffer that grows. */
class Writer {
  private buffer: Buffer
  private length = 0

  constructor(capacity: number) {
    this.buffer = Buffer.allocUnsafe(capacity)
  }

  /** Room for `bytes` more; returns where they go. */
  take(bytes: number): number {
    const at = this.length
    this.length += bytes
    if (this.length > this.buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.length, this.buffer.length * 2))
      this.buffer.copy(larger, 0, 0, at)
      this.buffer = larger
    }
    return at
  }

  int32(value: number): void {
    const at = this.take(4)
    this.buffer.writeInt32BE(value, at)
  }

  text(value: string, prefix?: number): void {
    const head = prefix === undefined ? 4 : 5
    // UTF-8 needs three bytes at the most per UTF-16 unit.
    const at = this.take(head + value.length * 3)
    if (prefix !== undefined) this.buffer[at + 4] = prefix
    const written = this.buffer.write(value, at + head, 'utf8')
    this.buffer.writeInt32BE(written + head - 4, at)
    this.length = at + head + written
  }

  sized(size: number, write: (buffer: Buffer, at: number) => void): void {
    const at = this.take(4 + size)
    this.buffer.writeInt32BE(size, at)
    write(this.buffer, at + 4)
  }

  done(): Buffer {
    return this.buffer.subarray(0, this.length)
  }
}

const microsecondsOf2000 = 946_684_800_000_000n
const daysOf2000 = 10_957
const millisecondsPerDay = 86_400_000

const text: ElementCodec = { oid: 25, array: 'text[]', cast: '', write: (to, value: string) => to.text(value) }

const elements: Readonly<Record<SqlType, ElementCodec>> = {
  uuid: {
    oid: 2950,
    array: 'uuid[]',
    cast: '',
    write: (to, value: string) => to.sized(16, (buffer, at) => buffer.write(value.replaceAll('-', ''), at, 'hex')),
  },
  text,
  integer: {
    oid: 23,
    array: 'int4[]',
    cast: '',
    write: (to, value: number) => to.sized(4, (b, at) => b.writeInt32BE(value, at)),
  },
  bigint: {
    oid: 20,
    array: 'int8[]',
    cast: '',
    write: (to, value: number) => to.sized(8, (buffer, at) => writeInt64(buffer, at, value)),
  },
  'double precision': {
    oid: 701,
    array: 'float8[]',
    cast: '',
    write: (to, value: number) => to.sized(8, (buffer, at) => buffer.writeDoubleBE(value, at)),
  },
  numeric: { ...text, cast: '::numeric' },
  boolean: {
    oid: 16,
    array: 'bool[]',
    cast: '',
    write: (to, value: boolean) => to.sized(1, (b, at) => b.writeInt8(value ? 1 : 0, at)),
  },
  timestamptz: {
    oid: 1184,
    array: 'timestamptz[]',
    cast: '',
    write: (to, value: Date) =>
      to.sized(8, (buffer, at) => buffer.writeBigInt64BE(BigInt(value.getTime()) * 1000n - microsecondsOf2000, at)),
  },
  date: {
    oid: 1082,
    array: 'date[]',
    cast: '',
    write: (to, value: string) =>
      to.sized(4, (buffer, at) =>
        buffer.writeInt32BE(Date.parse(`${value}T00:00:00Z`) / millisecondsPerDay - daysOf2000, at),
      ),
  },
  jsonb: { oid: 3802, array: 'jsonb[]', cast: '', write: (to, value) => to.text(JSON.stringify(value), 1) },
}

/** The array type of a column's parameter, and the cast of its elements. */
export function arrayTypeOf(type: SqlType): { readonly array: string; readonly cast: string } {
  return elements[type]
}

/** Encodes the values of one column; null and undefined are SQL nulls. */
export function binaryArray(type: SqlType, values: readonly unknown[]): Buffer {
  const { oid, write } = elements[type]
  const writer = new Writer(64 + values.length * 24)
  writer.int32(values.length === 0 ? 0 : 1)
  writer.int32(values.some((value) => value === null || value === undefined) ? 1 : 0)
  writer.int32(oid)
  if (values.length === 0) return writer.done()
  writer.int32(values.length)
  writer.int32(1)
  for (const value of values) {
    if (value === null || value === undefined) writer.int32(-1)
    else write(writer, value)
  }
  return writer.done()
}

/** Numbers are safe integers, so two halves do without a BigInt. */
function writeInt64(buffer: Buffer, at: number, value: number): void {
  const high = Math.floor(value / 0x1_0000_0000)
  buffer.writeInt32BE(high, at)
  buffer.writeUInt32BE(value - high * 0x1_0000_0000, at + 4)
}
