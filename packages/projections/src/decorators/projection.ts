// @Projection and @EventHandler: which class folds which events into which read model.
import type { Class } from '@narrative/core'
import type { FailurePolicy } from '../definition/failure-policy.js'
import type { ProjectionContext } from '../definition/projection-context.js'
import type { Source, SqlSchema, Tables, Workers } from '../definition/projection-definition.js'
import type { KeyOf, Table } from '../table/table.js'
import { markHandler, markProjection, markSideEffect } from './marks.js'
import type { AskedRows, ProjectionClass, ProjectionHandlerMethod, TablesHandlerMethod } from './signatures.js'

/** What a projection follows and where it writes. */
export interface ProjectionOptions<T extends Table = Table> {
  /** The aggregates whose events it follows. */
  readonly from: readonly Source[]
  /** Folds rows of this table: its handlers are `(row, event, context) => row`. */
  readonly table?: T
  /**
   * Folds rows of several tables, which are written and rebuilt together. Each handler says which rows it reads and writes, in
   * `@EventHandler(E, rows)`. The names here are those that handlers call the tables by.
   */
  readonly tables?: Tables
  /**
   * The key of an event: those of one key are applied in order, and wait for each other when one fails. With a table it is the key of
   * the row, or a list of them: then the handler is called for each, with the key in its context. Default the aggregate id. Otherwise a
   * text; default the stream id.
   */
  readonly key?: (event: any, context: ProjectionContext) => KeyOf<T> | readonly KeyOf<T>[]
  /** What becomes of an event that cannot be applied; default: three retries, then it is parked. */
  readonly onFailure?: Partial<FailurePolicy>
  /**
   * How many may follow it at a time, in as many processes: `many` share the partitions, `one` has them all and is replaced when it is
   * gone. Say `many` only when all events of a row come from one stream, or when statements of two workers may run at the same time.
   * Default: `many` for a table that is keyed by the aggregate id of one aggregate, else `one`.
   */
  readonly workers?: Workers
  /** Runs statements of its own: its handlers are `(event, context)`, with the transaction in `context.client`. */
  readonly sql?: SqlSchema
}

/**
 * Marks a class as a projection.
 *
 * With `table`, or several `tables`, it folds rows and runs on Postgres and in memory alike. With `sql` its handlers run statements in the transaction
 * that moves the checkpoint. With neither it keeps state of its own in memory, rebuilt from the log at every start.
 *
 * @param name its checkpoints are stored under it: written by hand, never changed
 * @example
 * ```ts
 * @Projection('orders-view', { from: [Order], table: orders })
 * export class OrdersView {
 *   @EventHandler(OrderPlaced) placed(_row: OrderRow | undefined, event: OrderPlaced): OrderRow {
 *     return { orderId: event.orderId, status: 'placed', total: event.total }
 *   }
 *   @EventHandler(OrderCancelled) cancelled(row: OrderRow): OrderRow {
 *     return { ...row, status: 'cancelled' }
 *   }
 * }
 * ```
 */
export function Projection<const Options extends { readonly table?: Table; readonly tables?: Tables }>(
  name: string,
  options: Options & ProjectionOptions<Options['table'] extends Table ? Options['table'] : Table>,
) {
  return <C extends Class>(target: C & ProjectionClass<InstanceType<C>, Options>): void =>
    markProjection(target as Class, {
      name,
      from: options.from,
      table: options.table,
      tables: options.tables,
      key: options.key,
      sql: options.sql,
      onFailure: options.onFailure,
      workers: options.workers,
    })
}

/**
 * Marks the method of a projection that handles an event (an aggregate's comes from `@narrative/core`).
 *
 * With a table: `(row, event, context)` returns the next row, or undefined to delete it; pure and synchronous. The row is undefined when
 * there is none yet.
 *
 * With several tables: `(rows, event, context)` returns the rows it changes, by table; what it leaves out stays as it is, and
 * {@link deleted} says that a row is to go. Pure and synchronous.
 *
 * Otherwise: `(event, context)` returns nothing.
 *
 * @param rows with several tables, the rows that the handler reads and writes, by table: one key, for the row or undefined; a list of keys,
 * or {@link where}, or both in a list, for a list of the rows there are, by key. It sees them as all earlier events left them.
 * @example
 * ```ts
 * @EventHandler(CustomerRenamed, (_event, { aggregateId }) => ({ customers: aggregateId, orders: where({ customerId: aggregateId }) }))
 * renamed({ customers, orders }: { customers: CustomerRow; orders: readonly OrderRow[] }, { name }: CustomerRenamed) {
 *   return { customers: { ...customers, name }, orders: orders.map((order) => ({ ...order, customerName: name })) }
 * }
 * ```
 */
export function EventHandler<E extends object>(
  eventClass: Class<E>,
): <F>(
  prototype: object,
  method: string | symbol,
  descriptor: TypedPropertyDescriptor<F> & ProjectionHandlerMethod<E, F>,
) => void
export function EventHandler<E extends object, const A extends AskedRows>(
  eventClass: Class<E>,
  rows: (event: E, context: ProjectionContext) => A,
): <F>(
  prototype: object,
  method: string | symbol,
  descriptor: TypedPropertyDescriptor<F> & TablesHandlerMethod<E, A, F>,
) => void
export function EventHandler(eventClass: Class, rows?: (event: any, context: ProjectionContext) => unknown) {
  return (prototype: object, method: string | symbol): void => markHandler(prototype, { method, eventClass, rows })
}

/**
 * Marks a method of a projection that reaches the outside: sends a mail, calls a service. Handlers call it as always; while events are
 * replayed (at a start, in a rebuild) it does nothing and returns undefined.
 *
 * It is called when the handler calls it, before anything is committed: an event that is tried again has its effects again.
 *
 * @example
 * ```ts
 * @EventHandler(OrderPlaced) async placed(event: OrderPlaced, { client }: SqlProjectionContext) {
 *   await client.query('INSERT INTO …')
 *   await this.tell(event)
 * }
 * @SideEffect() private async tell(event: OrderPlaced) { await this.mail.send(…) }
 * ```
 */
export function SideEffect() {
  return (prototype: object, method: string | symbol): void => markSideEffect(prototype, { method })
}
