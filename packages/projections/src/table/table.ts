// The declaration of a read model's table: its columns, its key, and from them the type of a row.
import { columnTypes, type SqlType, type ValueOfType } from './column-type.js'

/** A column's type as it is declared: an SQL type, `… | null` when it may be null. */
export type ColumnSpec = SqlType | `${SqlType} | null`

/** A column whose TypeScript type is narrower than its SQL type; made by {@link column}. */
export interface TypedColumn<T> {
  readonly spec: ColumnSpec
  /** Types only. */
  readonly type?: T
}

/** The columns of a table by property name. */
export type Columns = Readonly<Record<string, ColumnSpec | TypedColumn<any>>>

type ValueOf<C> =
  C extends TypedColumn<infer T>
    ? T
    : C extends `${infer S extends SqlType} | null`
      ? ValueOfType[S] | null
      : C extends SqlType
        ? ValueOfType[C]
        : never

type KeySpec<C> = (keyof C & string) | readonly (keyof C & string)[]

/** One column. */
export interface Column {
  /** The name in rows, as declared: `customerId`. */
  readonly property: string
  /** The name in the database: `customer_id`. */
  readonly name: string
  readonly type: SqlType
  readonly nullable: boolean
}

/** A declared table. */
export interface Table<Row extends object = any, Key = any> {
  readonly name: string
  readonly columns: readonly Column[]
  readonly key: readonly Column[]
  readonly indexes: readonly (readonly Column[])[]
  /** What to `@inject` for a {@link TableReader} of this table. */
  readonly reader: symbol
  /** What is wrong with the declaration, a sentence each. */
  readonly faults: readonly string[]
  /** Types only. */
  readonly types?: { readonly row: Row; readonly key: Key }
}

/** The row type of a table: `type OrderRow = RowOf<typeof orders>`. */
export type RowOf<T> = T extends Table<infer Row, any> ? Row : never

/** The key of a table: the value of its key column, or an object of them when there are several. */
export type KeyOf<T> = T extends Table<any, infer Key> ? Key : never

type Rows<C extends Columns> = { readonly [P in keyof C]: ValueOf<C[P]> }
type Keys<C extends Columns, K> = K extends keyof C
  ? ValueOf<C[K]>
  : K extends readonly [infer Only extends keyof C]
    ? ValueOf<C[Only]>
    : K extends readonly (infer Several extends keyof C)[]
      ? { readonly [P in Several]: ValueOf<C[P]> }
      : never

/**
 * Gives a column a narrower type than its SQL type has: the element types of a JSON document, the values of an enumeration.
 *
 * @example
 * ```ts
 * status: column<'placed' | 'cancelled'>('text'), lines: column<readonly OrderLine[]>('jsonb')
 * ```
 */
export function column<T>(spec: `${SqlType} | null`): TypedColumn<T | null>
export function column<T>(spec: SqlType): TypedColumn<T>
export function column<T>(spec: ColumnSpec): TypedColumn<T | null> {
  return { spec }
}

/**
 * Declares the table of a projection. The runtime creates it, and refuses one that differs.
 *
 * Rows are objects with the property names given here; in the database the names are in snake case
 * (`customerId` is column `customer_id`). A column is not null unless its type ends in ` | null`.
 *
 * @param declaration `key`: the column, or columns, that identify a row; `indexes`: columns to look rows up by
 * @example
 * ```ts
 * export const orders = table('orders', {
 *   key: 'orderId',
 *   columns: { orderId: 'uuid', customerId: 'text', status: column<'placed' | 'cancelled'>('text'), total: 'bigint', note: 'text | null' },
 *   indexes: ['customerId'],
 * })
 * export type OrderRow = RowOf<typeof orders>
 * ```
 */
export function table<const C extends Columns, const K extends KeySpec<C>>(
  name: string,
  declaration: { readonly key: K; readonly columns: C; readonly indexes?: readonly KeySpec<C>[] },
): Table<Rows<C>, Keys<C, K>> {
  const columns = Object.entries(declaration.columns).map(([property, declared]) => toColumn(property, declared))
  const pick = (spec: string | readonly string[]) =>
    [spec]
      .flat()
      .map((property) => columns.find((c) => c.property === property) ?? toColumn(property as string, 'text'))
  const key = pick(declaration.key)
  const indexes = (declaration.indexes ?? []).map(pick)
  return {
    name,
    columns,
    key,
    indexes,
    reader: Symbol.for(`narrative.table:${name}`),
    faults: faultsOf(name, columns, key),
  }
}

function toColumn(property: string, declared: ColumnSpec | TypedColumn<unknown>): Column {
  const spec = typeof declared === 'string' ? declared : declared.spec
  const type = spec.replace(/ \| null$/, '') as SqlType
  const name = property.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
  return { property, name, type, nullable: type !== spec }
}

const tableName = /^[a-z_][a-z0-9_]{0,50}$/
const columnName = /^[a-z_][a-z0-9_]{0,62}$/

function faultsOf(name: string, columns: readonly Column[], key: readonly Column[]): string[] {
  const faults: string[] = []
  if (!tableName.test(name)) {
    faults.push(
      `The table name ${JSON.stringify(name)} must be lower-case letters, digits and "_", 51 characters at the most.`,
    )
  }
  if (key.length === 0) faults.push(`Table ${name} has no key.`)
  for (const column of columns) {
    const what = `Column ${column.property} of table ${name}`
    if (!columnName.test(column.name)) faults.push(`${what} is no name for a column: use letters and digits.`)
    if (!(column.type in columnTypes)) {
      faults.push(
        `${what} has the unknown type ${JSON.stringify(column.type)}; known are ${Object.keys(columnTypes).join(', ')}.`,
      )
    }
    const twin = columns.find((other) => other.name === column.name)
    if (twin !== column)
      faults.push(`${what} and column ${twin?.property} are both called ${column.name} in the database.`)
  }
  for (const column of key) {
    if (!columns.includes(column))
      faults.push(`Key column ${column.property} of table ${name} is not among its columns.`)
    else if (column.nullable) faults.push(`Key column ${column.property} of table ${name} may not be null.`)
    else if (columnTypes[column.type]?.keyable === false) {
      faults.push(
        `Key column ${column.property} of table ${name} is ${column.type}; a key is uuid, text, integer, bigint, date or boolean.`,
      )
    }
  }
  return faults
}
