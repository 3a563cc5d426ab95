// Compile-time checks of projections: a method that does not fit is a compile error that reads as a sentence.
import type { SignatureError } from '@narrative/core'
import type { ProjectionContext, SqlProjectionContext } from '../definition/projection-context.js'
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

/** The check behind `@Projection(name, { table })`: every public method is a fold over the table's rows. */
export type ProjectionClass<Instance, Options> = Options extends { readonly table: infer T extends Table }
  ? [Misfits<Instance, RowOf<T>>] extends [never]
    ? unknown
    : SignatureError<`${Misfits<Instance, RowOf<T>>}: the public methods of a projection with a table take (row: Row | undefined, event, context) and return Row | undefined, where Row is RowOf<typeof table>. Make a helper private.`>
  : unknown
