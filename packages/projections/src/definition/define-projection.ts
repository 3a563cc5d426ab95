// The form without classes: a table, and a pure function per event name, on the same engine.
import type { KeyOf, RowOf, Table } from '../table/table.js'
import type { ProjectionContext, SqlProjectionContext } from './projection-context.js'
import type { HandlerDefinition, ProjectionDefinition, Source, SqlSchema } from './projection-definition.js'

/** What {@link defineProjection} takes for a table. */
export interface TableProjection<T extends Table> {
  /** Its checkpoints are stored under it: written by hand, never changed. */
  readonly name: string
  /** The aggregates whose events it follows. */
  readonly from: readonly Source[]
  readonly table: T
  /** The key of the row an event concerns; default the aggregate id. */
  readonly key?: (event: any, context: ProjectionContext) => KeyOf<T>
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
  readonly on: Readonly<Record<string, (event: any, context: SqlProjectionContext) => void | Promise<void>>>
}

/** What {@link defineProjection} takes for state of your own, in memory. */
export interface MemoryProjection {
  readonly name: string
  readonly from: readonly Source[]
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
  const { name, from, table, key, sql } = projection
  return {
    name,
    from,
    target: toTarget({ table, key, sql }),
    handlers: Object.entries(projection.on ?? {}).map(
      ([event, handle]): HandlerDefinition => ({ event, name: `${name} on ${event}`, handle }),
    ),
    projectionClass: undefined,
  }
}

/** Reads the target out of the options that decorated classes and plain definitions share. */
export function toTarget(options: {
  readonly table?: Table | undefined
  readonly key?: ((event: any, context: ProjectionContext) => unknown) | undefined
  readonly sql?: SqlSchema | undefined
}): ProjectionDefinition['target'] {
  if (options.table !== undefined) return { kind: 'table', table: options.table, key: options.key }
  if (options.sql !== undefined) return { kind: 'sql', schema: options.sql }
  return { kind: 'memory' }
}
