// The SQL types a column may have: which JavaScript value each holds, and when two values are the same.
//
// A value is checked and put into the form Postgres would give back, before it is kept anywhere. So a row that was just
// folded, one held in the cache, one in memory and one read from Postgres are all the same value.
import { jsonEqual, toJson } from './json-value.js'

/** The TypeScript type of each SQL type. */
export interface ValueOfType {
  uuid: string
  text: string
  /** 32 bits. */
  integer: number
  /** A whole number up to 2^53 − 1: what does not fit stops the projection rather than being rounded. */
  bigint: number
  'double precision': number
  /** An exact decimal, as a string such as `12.50`. */
  numeric: string
  boolean: boolean
  /** Milliseconds: what a Date holds. */
  timestamptz: Date
  /** A calendar date, as `YYYY-MM-DD`. */
  date: string
  jsonb: unknown
}

/** The name of an SQL type. */
export type SqlType = keyof ValueOfType

/** What is known of an SQL type. */
export interface ColumnType {
  /** What a value must be, to complete the sentence "must be …". */
  readonly expects: string
  /** Whether the column can be part of a key: equality in Postgres and in JavaScript must agree. */
  readonly keyable: boolean
  /** The value as Postgres would give it back; undefined when it is not acceptable. */
  normalise(value: unknown): unknown
  same(a: unknown, b: unknown): boolean
  /** The order of `ORDER BY`, the same in memory as in Postgres (texts by code point). */
  compare(a: any, b: any): number
}

const same = (a: unknown, b: unknown) => a === b
const byOrder = (a: any, b: any) => (a < b ? -1 : a > b ? 1 : 0)
const byCodePoint = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b))

// Postgres stores no U+0000 and no half of a surrogate pair.
const unstorable = /[\0\p{Surrogate}]/u
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const decimal = /^-?(0|[1-9]\d{0,1000})(\.\d{1,1000})?$/
const day = /^(?!0000)\d{4}-\d\d-\d\d$/
const earliest = Date.UTC(-4712, 0, 1)

function normaliseUuid(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined
  const lower = value.toLowerCase()
  return uuid.test(lower) ? lower : undefined
}

function normaliseDay(value: unknown): string | undefined {
  if (typeof value !== 'string' || !day.test(value)) return undefined
  const time = Date.parse(`${value}T00:00:00Z`)
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(value) ? value : undefined
}

/** Every supported SQL type. */
export const columnTypes: Readonly<Record<SqlType, ColumnType>> = {
  uuid: { expects: 'a UUID', keyable: true, normalise: normaliseUuid, same, compare: byOrder },
  text: {
    expects: 'a string without U+0000 and lone surrogates',
    keyable: true,
    normalise: (value) => (typeof value === 'string' && !unstorable.test(value) ? value : undefined),
    same,
    compare: byCodePoint,
  },
  integer: {
    expects: 'a whole number of 32 bits',
    keyable: true,
    // `+ 0` turns -0 into 0.
    normalise: (value) => (typeof value === 'number' && (value | 0) === value ? value + 0 : undefined),
    same,
    compare: byOrder,
  },
  bigint: {
    expects: 'a whole number up to 2^53 - 1',
    keyable: true,
    normalise: (value) => (Number.isSafeInteger(value) ? (value as number) + 0 : undefined),
    same,
    compare: byOrder,
  },
  'double precision': {
    expects: 'a finite number',
    keyable: false,
    normalise: (value) => (Number.isFinite(value) ? value : undefined),
    same: Object.is,
    compare: byOrder,
  },
  numeric: {
    expects: 'a decimal written as a string, such as "12.50"',
    keyable: false,
    normalise: (value) =>
      typeof value === 'string' && decimal.test(value) ? value.replace(/^-(?=[0.]*$)/, '') : undefined,
    same,
    compare: compareDecimals,
  },
  boolean: {
    expects: 'true or false',
    keyable: true,
    normalise: (value) => (typeof value === 'boolean' ? value : undefined),
    same,
    compare: byOrder,
  },
  timestamptz: {
    expects: 'a valid Date',
    keyable: false,
    normalise: (value) => (value instanceof Date && value.getTime() >= earliest ? value : undefined),
    same: (a, b) => a === b || (a instanceof Date && b instanceof Date && a.getTime() === b.getTime()),
    compare: byOrder,
  },
  date: { expects: 'a calendar date "YYYY-MM-DD"', keyable: true, normalise: normaliseDay, same, compare: byOrder },
  jsonb: {
    expects: 'a JSON value without U+0000 and lone surrogates',
    keyable: false,
    normalise: (value) => toJson(value, unstorable),
    same: jsonEqual,
    compare: () => 0,
  },
}

/** Compares exact decimals without going through a float: by sign, whole digits, then the digits after the point. */
function compareDecimals(a: string, b: string): number {
  const negative = a.startsWith('-')
  if (negative !== b.startsWith('-')) return negative ? -1 : 1
  const [wholeA = '', restA = ''] = a.replace('-', '').split('.')
  const [wholeB = '', restB = ''] = b.replace('-', '').split('.')
  const width = Math.max(restA.length, restB.length)
  const order =
    wholeA.length - wholeB.length ||
    byOrder(wholeA, wholeB) ||
    byOrder(restA.padEnd(width, '0'), restB.padEnd(width, '0'))
  return negative ? -order : order
}
