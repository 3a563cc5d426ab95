// Compile-time checks of projections: a method that does not fit is a compile error that reads as a sentence.
import type { SignatureError } from '@narrative/core'
import type { ChangedRowsOf } from '../definition/define-projection.js'
import type { ProjectionContext, SqlProjectionContext } from '../definition/projection-context.js'
import type { Tables } from '../definition/projection-definition.js'
import type { RowsWhere } from '../table/condition.js'
import type { RowOf, Table } from '../table/table.js'

/** True when a method with these parameters can be called with what is given. */
type Accepts<Parameters extends readonly unknown[], Given extends readonly unknown[]> = Parameters extends readonly []
  ? true
  : Parameters extends readonly [(infer P)?, ...infer Rest]
    ? Given extends readonly [infer G, ...infer GivenRest]
      ? [G] extends [P]
        ? Accepts<Rest, GivenRest>
        : false
      : Parameters extends readonly [unknown, ...unknown[]]
        ? false
        : true
    : true

type Consumes<E, P extends readonly unknown[], R> =
  Accepts<P, [E, SqlProjectionContext]> extends true ? ([R] extends [void | Promise<void>] ? true : false) : false

// The row's type is checked against the table by @Projection: this decorator does not know the table.
type Folds<E, P extends readonly unknown[], R> =
  Accepts<P, [any, E, ProjectionContext]> extends true
    ? [R] extends [object | undefined]
      ? [R] extends [Promise<unknown>]
        ? false
        : true
      : false
    : false

/** The check behind `@EventHandler(E)` of a projection. */
export type ProjectionHandlerMethod<E, F> = F extends (...parameters: infer P) => infer R
  ? true extends Consumes<E, P, R> | Folds<E, P, R>
    ? unknown
    : SignatureError<'An @EventHandler(E) method of a projection is (row: Row | undefined, event: E, context) => Row | undefined when it has a table, else (event: E, context) => void. (Aggregates import EventHandler from @narrative/core.)'>
  : never

type FoldFits<Row, F> = F extends (...parameters: infer P) => infer R
  ? Accepts<P, [Row, any, ProjectionContext]> extends true
    ? [R] extends [Row | undefined]
      ? true
      : false
    : false
  : true

type Misfits<Instance, Row> = {
  [M in keyof Instance & string]: FoldFits<Row, Instance[M]> extends true ? never : M
}[keyof Instance & string]

/** What `rows` of a handler may be: which tables there are, and what their keys are, is checked when it is called. */
export type AskedRows = Readonly<Record<string, unknown>>

/** Whether a parameter takes what is given for these keys: a list for a list or a condition, else one row. */
type Takes<Asked, P> = [Extract<Asked, readonly unknown[] | RowsWhere>] extends [never]
  ? [P] extends [readonly unknown[]]
    ? false
    : true
  : [readonly any[]] extends [P]
    ? HasColumns<Extract<Asked, RowsWhere>, P>
    : false

/** Whether the rows of a list have the columns of a condition. */
type HasColumns<W, P> = [W] extends [RowsWhere<infer C>]
  ? P extends readonly (infer Row)[]
    ? keyof C extends keyof Row
      ? true
      : false
    : true
  : true

type Untaken<A, P> = {
  [K in keyof P & string]: K extends keyof A ? (Takes<A[K], P[K]> extends true ? never : K) : K
}[keyof P & string]

/** The check behind `@EventHandler(E, rows)` of a projection: the handler takes what it asks for. */
export type TablesHandlerMethod<E, A, F> = F extends (...parameters: infer P) => infer R
  ? Accepts<P, [any, E, ProjectionContext]> extends true
    ? [R] extends [Promise<unknown>]
      ? SignatureError<'An @EventHandler(E, rows) method of a projection is synchronous.'>
      : P extends readonly [(infer Rows)?, ...unknown[]]
        ? [Untaken<A, NonNullable<Rows>>] extends [never]
          ? unknown
          : SignatureError<`${Untaken<A, NonNullable<Rows>>}: the method takes rows that @EventHandler(E, rows) does not ask for in this form. For one key it gets the row or undefined; for a list of keys, and for where(…), a readonly list. What it does not ask for, it does not get.`>
        : unknown
    : SignatureError<'An @EventHandler(E, rows) method of a projection is (rows: { [table]: Row | undefined or readonly Row[] }, event: E, context) => { [table]: the rows it changes }.'>
  : never

type RowsFit<T extends Tables, Given> = {
  [K in keyof Given]: K extends keyof T
    ? [RowOf<T[K]>] extends [Given[K]]
      ? true
      : [readonly RowOf<T[K]>[]] extends [Given[K]]
        ? true
        : false
    : false
}[keyof Given]

type ChangesFit<T extends Tables, R> = [R] extends [undefined]
  ? true
  : [Exclude<R, undefined>] extends [ChangedRowsOf<T>]
    ? [KeysOf<Exclude<R, undefined>>] extends [keyof T]
      ? true
      : false
    : false

type KeysOf<R> = R extends unknown ? keyof R : never

type TablesFoldFits<T extends Tables, F> = F extends (...parameters: infer P) => infer R
  ? P extends readonly [(infer Given)?, ...unknown[]]
    ? [RowsFit<T, NonNullable<Given>>] extends [true]
      ? ChangesFit<T, R>
      : false
    : ChangesFit<T, R>
  : true

type TablesMisfits<Instance, T extends Tables> = {
  [M in keyof Instance & string]: TablesFoldFits<T, Instance[M]> extends true ? never : M
}[keyof Instance & string]

/** The check behind `@Projection(name, { table })` and `{ tables }`: every public method is a fold over the rows. */
export type ProjectionClass<Instance, Options> = Options extends { readonly table: infer T extends Table }
  ? [Misfits<Instance, RowOf<T>>] extends [never]
    ? unknown
    : SignatureError<`${Misfits<Instance, RowOf<T>>}: the public methods of a projection with a table take (row: Row | undefined, event, context) and return Row | undefined, where Row is RowOf<typeof table>. Make a helper private.`>
  : Options extends { readonly tables: infer T extends Tables }
    ? [TablesMisfits<Instance, T>] extends [never]
      ? unknown
      : SignatureError<`${TablesMisfits<Instance, T>}: the public methods of a projection with tables take (rows, event, context) and return the rows they change, by table: { orders: order } or { orders: [order, deleted(other)] }, each of the type RowOf<typeof table>. Make a helper private.`>
    : unknown
