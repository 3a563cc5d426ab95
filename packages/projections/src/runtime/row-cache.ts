// The rows a projection touched lately, so that it does not read back what it has just written.
//
// Correct because a session is the only writer as long as its checkpoints are where it left them, and because the cache
// dies with the session: rows of a transaction that was rolled back go with it.
import type { Row } from '../table/row.js'

/** Two generations instead of a list by age: the older half is dropped at once, at the price of two Map lookups. */
export class RowCache {
  private young = new Map<string | number, Row | undefined>()
  private old = new Map<string | number, Row | undefined>()
  /** Of the young generation, bytes. */
  private weight = 0

  /**
   * @param capacity what the rows may take at the most, bytes, roughly: rows are narrow in one table and wide in another
   * @param complete whether the table is empty, so that a row that is not here does not exist
   */
  constructor(
    private readonly capacity: number,
    public complete: boolean,
  ) {}

  /** Whether it is known which row there is, or that there is none. */
  has(key: string | number): boolean {
    return this.complete || this.young.has(key) || this.old.has(key)
  }

  get(key: string | number): Row | undefined {
    if (this.young.has(key)) return this.young.get(key)
    const row = this.old.get(key)
    if (row !== undefined) this.set(key, row)
    return row
  }

  set(key: string | number, row: Row | undefined): void {
    // Weighed once a generation: a row seldom changes its size.
    if (!this.young.has(key)) this.weight += weightOf(row)
    this.young.set(key, row)
    if (this.weight <= this.capacity / 2) return
    if (this.old.size > 0) this.complete = false
    this.old = this.young
    this.young = new Map()
    this.weight = 0
  }
}

/** Bytes, roughly: a place in a Map with its key, an object, and its values. */
function weightOf(row: Row | undefined): number {
  let bytes = 150
  for (const property in row) bytes += valueWeight(row[property])
  return bytes
}

function valueWeight(value: unknown): number {
  if (typeof value === 'string') return 30 + value.length
  if (typeof value !== 'object' || value === null) return 16
  // The text of JSON is not made for this more than once a generation; as objects it takes a few times as much.
  return value instanceof Date ? 100 : 3 * JSON.stringify(value).length
}
