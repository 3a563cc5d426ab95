// How query handlers read a table: the same port on Postgres and in memory.
import { columnTypes } from './column-type.js'
import { type Row, RowRefused, toValue } from './row.js'
import type { Column, KeyOf, RowOf, Table } from './table.js'

/** Which rows: those whose columns equal these values. JSON columns cannot be asked for. */
export type Where<R> = { readonly [P in keyof R]?: R[P] }

/** In which order, and how many. */
export interface FindOptions<R> {
  /** A column, descending with a minus before it: `'-total'`. Rows that are equal in it follow by key; so do all without it. */
  readonly orderBy?: (keyof R & string) | `-${keyof R & string}`
  /** Default 100. */
  readonly limit?: number
  readonly offset?: number
}

/**
 * Reads the rows of one table.
 *
 * @example
 * ```ts
 * export class GetOrderHandler {
 *   constructor(@inject(orders.reader) private readonly rows: ReaderOf<typeof orders>) {}
 *   @QueryHandler(GetOrder) get(query: GetOrder) { return this.rows.findByKey(query.orderId) }
 * }
 * ```
 */
export interface TableReader<R extends object, Key> {
  findByKey(key: Key): Promise<R | undefined>
  /** The rows that equal `where` in every column it names. */
  findWhere(where: Where<R>, options?: FindOptions<R>): Promise<readonly R[]>
  count(where?: Where<R>): Promise<number>
}

/** The reader of a table: `ReaderOf<typeof orders>`. */
export type ReaderOf<T> = TableReader<RowOf<T>, KeyOf<T>>

/** A search, checked against its table. */
export interface Search {
  readonly where: readonly (readonly [Column, unknown])[]
  readonly orderBy: readonly { readonly column: Column; readonly descending: boolean }[]
  readonly limit: number
  readonly offset: number
}

/** Checks a search, so that both stores understand it alike. */
export function toSearch(table: Table, where: Where<any>, options: FindOptions<any> = {}): Search {
  const named = (property: string): Column => {
    const column = table.columns.find((candidate) => candidate.property === property)
    if (column !== undefined && column.type !== 'jsonb') return column
    throw new RowRefused(`${property} is not a column of table ${table.name} that rows can be found or ordered by`)
  }
  const conditions = Object.entries(where)
    .filter(([, value]) => value !== undefined)
    .map(([property, value]) => [named(property), toValue(table, named(property), value)] as const)
  const orderBy = table.key.map((column) => ({ column, descending: false }))
  if (options.orderBy !== undefined) {
    const descending = options.orderBy.startsWith('-')
    orderBy.unshift({ column: named(options.orderBy.slice(descending ? 1 : 0)), descending })
  }
  return { where: conditions, orderBy, limit: natural(options.limit ?? 100), offset: natural(options.offset ?? 0) }
}

function natural(value: number): number {
  if (Number.isSafeInteger(value) && value >= 0) return value
  throw new RowRefused(`limit and offset are whole numbers from 0 on, not ${value}`)
}

/** Runs a search over rows in memory. Nulls come last, as in Postgres. */
export function searchRows(rows: Iterable<Row>, search: Search): Row[] {
  const found: Row[] = []
  for (const row of rows) if (matches(row, search)) found.push(row)
  found.sort((a, b) => {
    for (const { column, descending } of search.orderBy) {
      const order = compare(column, a[column.property], b[column.property])
      if (order !== 0) return descending ? -order : order
    }
    return 0
  })
  return found.slice(search.offset, search.offset + search.limit)
}

/** Whether a row equals the values of a search. */
export function matches(row: Row, search: Search): boolean {
  return search.where.every(([column, value]) => columnTypes[column.type].same(row[column.property], value))
}

function compare(column: Column, a: unknown, b: unknown): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1
  return columnTypes[column.type].compare(a, b)
}
