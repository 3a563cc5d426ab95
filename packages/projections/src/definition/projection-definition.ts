// The plain form of a projection. Decorated classes and defineProjection both become one; everything else sees only this.
import type { Class } from '@narrative/core'
import type { Table } from '../table/table.js'
import type { FailurePolicy } from './failure-policy.js'
import type { ProjectionContext } from './projection-context.js'

/** Where events come from: an aggregate class or a decider's definition. */
export type Source = object

/** The SQL of a free-SQL projection's own tables. */
export interface SqlSchema {
  /** Runs at every start, alone: `CREATE TABLE IF NOT EXISTS …`; and once for a rebuild, in a schema of its own. Names without a schema. */
  readonly setup: string
  /** Empties the tables: for `reset`, and for a rebuild when its tables cannot be made beside the old ones. */
  readonly reset: string
}

/** Tables that one projection writes, by the names its handlers call them by. */
export type Tables = Readonly<Record<string, Table>>

/** What a projection writes to. */
export type ProjectionTarget =
  | { readonly kind: 'table'; readonly table: Table }
  | { readonly kind: 'tables'; readonly tables: Tables }
  | { readonly kind: 'sql'; readonly schema: SqlSchema }
  | { readonly kind: 'memory' }

/** The tables the runtime keeps for a projection. */
export function tablesOf(target: ProjectionTarget): readonly Table[] {
  if (target.kind === 'table') return [target.table]
  return target.kind === 'tables' ? Object.values(target.tables) : []
}

/** One event a projection handles. */
export interface HandlerDefinition {
  /** The event class, or the name of a plain `{ type, data }` event. */
  readonly event: Class | string
  /** For messages: `OrdersView.placed`. */
  readonly name: string
  /** `this` is the projection's instance, when it has one. */
  readonly handle: (this: any, ...args: any[]) => unknown
  /** With several tables: the rows it reads and writes, by table. */
  readonly rows?: ((event: any, context: ProjectionContext) => unknown) | undefined
}

/** How many may follow a projection at a time. */
export type Workers = 'one' | 'many'

/** A projection. */
export interface ProjectionDefinition {
  readonly name: string
  readonly from: readonly Source[]
  readonly target: ProjectionTarget
  /**
   * The key of an event: what must be applied in order, and waits when an earlier event of it is parked. For a table the key of the
   * row; default the aggregate id. Otherwise a text of the projection's choice; default the stream id.
   */
  readonly key: ((event: any, context: ProjectionContext) => unknown) | undefined
  readonly onFailure: FailurePolicy
  /** Undefined: as many as is safe. */
  readonly workers: Workers | undefined
  readonly handlers: readonly HandlerDefinition[]
  /** Methods that do nothing while events are replayed. */
  readonly sideEffects: readonly (string | symbol)[]
  /** Made by the container; undefined for a projection without a class. */
  readonly projectionClass: Class | undefined
}
