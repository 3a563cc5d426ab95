// Which fold a projection has.
import type { BoundProjection } from '../definition/bind-projection.js'
import type { Fold } from './fold.js'
import { TableFold } from './table-fold.js'
import { TablesFold } from './tables-fold.js'

export function foldOf(projection: BoundProjection): Fold {
  const { target } = projection
  if (target.kind === 'table') return new TableFold(projection, target.table)
  if (target.kind === 'tables') return new TablesFold(projection, target.tables)
  throw new TypeError(`Projection ${projection.name} has no table.`)
}
