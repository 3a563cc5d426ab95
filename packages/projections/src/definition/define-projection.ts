// The form without classes: a table, and a pure function per event name, on the same engine.
import type { KeyOf, RowOf, Table } from '../table/table.js'
import { type FailurePolicy, failurePolicy } from './failure-policy.js'
import type { ProjectionContext, SqlProjectionContext } from './projection-context.js'
import type { HandlerDefinition, ProjectionDefinition, Source, SqlSchema, Workers } from './projection-definition.js'

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
export function defineProjection(projection: SqlProjection): ProjectionDefinition
export function defineProjection(projection: MemoryProjection): ProjectionDefinition
export function defineProjection(
  projection: Partial<TableProjection<Table>> &
    Partial<Pick<SqlProjection, 'sql'>> &
    Pick<MemoryProjection, 'name' | 'from'>,
): ProjectionDefinition {
  const { name, from } = projection
  return {
    name,
    from,
    ...toPlain(projection),
    handlers: Object.entries(projection.on ?? {}).map(
      ([event, handle]): HandlerDefinition => ({ event, name: `${name} on ${event}`, handle }),
    ),
    sideEffects: [],
    projectionClass: undefined,
  }
}

/** Reads what decorated classes and plain definitions say in the same words. */
export function toPlain(options: {
  readonly table?: Table | undefined
  readonly key?: ((event: any, context: ProjectionContext) => unknown) | undefined
  readonly sql?: SqlSchema | undefined
  readonly onFailure?: Partial<FailurePolicy> | undefined
  readonly workers?: Workers | undefined
}): Pick<ProjectionDefinition, 'target' | 'key' | 'onFailure' | 'workers'> {
  const { table, sql, key, onFailure, workers } = options
  return { target: toTarget(table, sql), key, onFailure: failurePolicy(onFailure), workers }
}

function toTarget(table: Table | undefined, schema: SqlSchema | undefined): ProjectionDefinition['target'] {
  if (table !== undefined) return { kind: 'table', table }
  if (schema !== undefined) return { kind: 'sql', schema }
  return { kind: 'memory' }
}
