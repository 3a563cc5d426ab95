// The form without classes: a table, and a pure function per event name, on the same engine.
import type { RowsWhere } from '../table/condition.js'
import type { DeletedRow } from '../table/deleted-row.js'
import type { KeyOf, RowOf, Table } from '../table/table.js'
import { type FailurePolicy, failurePolicy } from './failure-policy.js'
import type { ProjectionContext, SqlProjectionContext } from './projection-context.js'
import type {
  HandlerDefinition,
  ProjectionDefinition,
  Source,
  SqlSchema,
  Tables,
  Workers,
} from './projection-definition.js'

/** What {@link defineProjection} takes for a table. */
export interface TableProjection<T extends Table> {
  /** Its checkpoints are stored under it: written by hand, never changed. */
  readonly name: string
  /** The aggregates whose events it follows. */
  readonly from: readonly Source[]
  readonly table: T
  /** The key of the row an event concerns, or a list of them: the handler is called for each, with the key in its context. Default the aggregate id. */
  readonly key?: (event: any, context: ProjectionContext) => KeyOf<T> | readonly KeyOf<T>[]
  /** What becomes of an event that cannot be applied; default: three retries, then it is parked. */
  readonly onFailure?: Partial<FailurePolicy>
  /**
   * How many may follow it at a time, in as many processes: `many` share the partitions, `one` has them all and is replaced when it is
   * gone. Say `many` only when all events of a row come from one stream, or when statements of two workers may run at the same time.
   * Default: `many` for a table that is keyed by the aggregate id of one aggregate, else `one`.
   */
  readonly workers?: Workers
  /** By event name: the next row, or undefined to delete it. Pure and synchronous. */
  readonly on: Readonly<
    Record<string, (row: RowOf<T> | undefined, event: any, context: ProjectionContext) => RowOf<T> | undefined>
  >
}

/**
 * The rows an event concerns, by table: one key (then the handler gets the row or undefined), or a list of keys, a condition, or a list of
 * both (then it gets a list, by key, of the rows there are).
 */
export type AskedRowsOf<T extends Tables> = {
  readonly [P in keyof T]?: KeyOf<T[P]> | AskedPart<T[P]> | readonly (KeyOf<T[P]> | AskedPart<T[P]>)[] | undefined
}

type AskedPart<T extends Table> = RowsWhere<Partial<RowOf<T>>>

/** The rows that a handler of several tables changes; what it leaves out stays as it is. */
export type ChangedRowsOf<T extends Tables> = {
  readonly [P in keyof T]?: ChangedPart<T[P]> | readonly (ChangedPart<T[P]> | undefined)[] | undefined
}

type ChangedPart<T extends Table> = RowOf<T> | DeletedRow<Partial<RowOf<T>>>

/** What {@link defineProjection} takes for several tables. */
export interface TablesProjection<T extends Tables> {
  /** Its checkpoints are stored under it: written by hand, never changed. */
  readonly name: string
  /** The aggregates whose events it follows. */
  readonly from: readonly Source[]
  /** By the names the handlers call them by. */
  readonly tables: T
  /** What becomes of an event that cannot be applied; default: three retries, then it is parked. */
  readonly onFailure?: Partial<FailurePolicy>
  /** Default `one`. Say `many` only when all events of a row come from one partition. */
  readonly workers?: Workers
  /** By event name: which rows it reads and writes, and what becomes of them. Pure and synchronous. */
  readonly on: Readonly<Record<string, TablesHandler<T>>>
}

/** How one event is applied to rows of several tables. */
export interface TablesHandler<T extends Tables> {
  readonly rows: (event: any, context: ProjectionContext) => AskedRowsOf<T>
  readonly fold: (
    rows: { readonly [P in keyof T]: any },
    event: any,
    context: ProjectionContext,
  ) => ChangedRowsOf<T> | undefined
}

/** What {@link defineProjection} takes for statements of your own. */
export interface SqlProjection {
  readonly name: string
  readonly from: readonly Source[]
  readonly sql: SqlSchema
  /** The key of an event: those of one key are applied in order, and wait for each other when one fails. Default the stream id. */
  readonly key?: (event: any, context: ProjectionContext) => string
  readonly onFailure?: Partial<FailurePolicy>
  /** Default `one`; `many` when the statements of two workers may run at the same time. */
  readonly workers?: Workers
  readonly on: Readonly<Record<string, (event: any, context: SqlProjectionContext) => void | Promise<void>>>
}

/** What {@link defineProjection} takes for state of your own, in memory. */
export interface MemoryProjection {
  readonly name: string
  readonly from: readonly Source[]
  /** As in {@link SqlProjection}. */
  readonly key?: (event: any, context: ProjectionContext) => string
  readonly onFailure?: Partial<FailurePolicy>
  readonly on: Readonly<Record<string, (event: any, context: ProjectionContext) => void>>
}

/**
 * Defines a projection without a class.
 *
 * @returns a definition: give it to {@link projections}, and as `readModel` where one is asked for
 * @example
 * ```ts
 * const totals = defineProjection({
 *   name: 'totals', from: [counter], table: totalsTable,
 *   on: { 'counter.added': (row, event, { aggregateId }) => ({ id: aggregateId, total: (row?.total ?? 0) + event.data.by }) },
 * })
 * ```
 */
export function defineProjection<T extends Table>(projection: TableProjection<T>): ProjectionDefinition
export function defineProjection<T extends Tables>(projection: TablesProjection<T>): ProjectionDefinition
export function defineProjection(projection: SqlProjection): ProjectionDefinition
export function defineProjection(projection: MemoryProjection): ProjectionDefinition
export function defineProjection(
  projection: Omit<Partial<TableProjection<Table>>, 'on'> &
    Partial<Pick<SqlProjection, 'sql'>> &
    Partial<Pick<TablesProjection<Tables>, 'tables'>> &
    Pick<MemoryProjection, 'name' | 'from'> & { readonly on?: Readonly<Record<string, DefinedHandler>> },
): ProjectionDefinition {
  const { name, from } = projection
  return {
    name,
    from,
    ...toPlain(projection),
    handlers: Object.entries(projection.on ?? {}).map(([event, defined]): HandlerDefinition => {
      const { rows, fold } = typeof defined === 'function' ? { rows: undefined, fold: defined } : defined
      return { event, name: `${name} on ${event}`, handle: fold, rows }
    }),
    sideEffects: [],
    projectionClass: undefined,
  }
}

type DefinedHandler = HandlerDefinition['handle'] | TablesHandler<Tables>

/** Reads what decorated classes and plain definitions say in the same words. */
export function toPlain(options: {
  readonly table?: Table | undefined
  readonly tables?: Tables | undefined
  readonly key?: ((event: any, context: ProjectionContext) => unknown) | undefined
  readonly sql?: SqlSchema | undefined
  readonly onFailure?: Partial<FailurePolicy> | undefined
  readonly workers?: Workers | undefined
}): Pick<ProjectionDefinition, 'target' | 'key' | 'onFailure' | 'workers'> {
  const { table, tables, sql, key, onFailure, workers } = options
  return { target: toTarget(table, tables, sql), key, onFailure: failurePolicy(onFailure), workers }
}

function toTarget(
  table: Table | undefined,
  tables: Tables | undefined,
  schema: SqlSchema | undefined,
): ProjectionDefinition['target'] {
  if (table !== undefined) return { kind: 'table', table }
  if (tables !== undefined) return { kind: 'tables', tables }
  if (schema !== undefined) return { kind: 'sql', schema }
  return { kind: 'memory' }
}
