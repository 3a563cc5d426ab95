// The public API of @narrative/projections, name by name. Whatever is not listed here is not public.
import 'reflect-metadata'

export type { Lag, ProjectionOverview, RebuildOverview } from './application/overview.js'
export type { ProjectionStatus } from './application/projection-status.js'
export { type Projections, type ProjectionsOptions, projections, type ScratchView } from './application/projections.js'
export { EventHandler, Projection, type ProjectionOptions, SideEffect } from './decorators/projection.js'
export { type ProjectionLike, readProjection } from './decorators/read-projection.js'
export {
  type AskedRowsOf,
  type ChangedRowsOf,
  defineProjection,
  type MemoryProjection,
  type SqlProjection,
  type TableProjection,
  type TablesHandler,
  type TablesProjection,
} from './definition/define-projection.js'
export type { FailurePolicy } from './definition/failure-policy.js'
export type { ProjectionContext, SqlProjectionContext } from './definition/projection-context.js'
export {
  type HandlerDefinition,
  type ProjectionDefinition,
  type ProjectionTarget,
  type Source,
  type SqlSchema,
  type Tables,
  tablesOf,
  type Workers,
} from './definition/projection-definition.js'
export type {
  DeadLetter,
  DeadLetters,
  Failure,
  LetterChoice,
  LetterPlace,
  ListedLetter,
  ListOptions,
  Wish,
} from './failures/dead-letter.js'
export { type MemoryReadModels, type MemoryRows, memoryReadModels } from './memory/memory-read-models.js'
export { type PostgresReadModelsOptions, postgresReadModels } from './postgres/postgres-read-models.js'
export type { KnownWorker, WorkerReport } from './runtime/control.js'
export type { Moment } from './runtime/log-as-of.js'
export type { PartitionProgress, RebuildProgress } from './runtime/progress-meter.js'
export type { ReadModels } from './runtime/read-models.js'
export type { RebuildOptions } from './runtime/rebuild.js'
export type { SqlType, ValueOfType } from './table/column-type.js'
export { type RowsWhere, where } from './table/condition.js'
export { type DeletedRow, deleted } from './table/deleted-row.js'
export {
  type ColumnSpec,
  type Columns,
  column,
  type KeyOf,
  type RowOf,
  type Table,
  type TypedColumn,
  table,
} from './table/table.js'
export type { FindOptions, ReaderOf, TableReader, Where } from './table/table-reader.js'
