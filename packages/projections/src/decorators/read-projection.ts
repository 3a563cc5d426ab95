// Reads the marks of a projection class, once, into its plain definition.
import type { Class } from '@narrative/core'
import { toPlain } from '../definition/define-projection.js'
import type { ProjectionDefinition } from '../definition/projection-definition.js'
import { aggregateHandlerMethods, handlerMarks, projectionMark, sideEffectMarks } from './marks.js'

/** A projection as users name it: a decorated class, or a definition. */
export type ProjectionLike = Class | ProjectionDefinition

/** Turns a class into its definition; a definition is returned as it is. */
export function readProjection(projection: ProjectionLike): {
  readonly definition: ProjectionDefinition
  readonly faults: readonly string[]
} {
  if (typeof projection !== 'function') return { definition: projection, faults: [] }
  const faults: string[] = []
  const mark = projectionMark(projection)
  if (mark === undefined) faults.push(`Class ${projection.name} is not marked with @Projection(name, { from }).`)
  const kinds = [
    ...(mark?.table === undefined ? [] : ['a table']),
    ...(mark?.tables === undefined ? [] : ['tables']),
    ...(mark?.sql === undefined ? [] : ['SQL of its own']),
  ]
  if (kinds.length > 1) faults.push(`Projection ${mark?.name} has ${kinds.join(' and ')}; it can have one.`)
  for (const method of aggregateHandlerMethods(projection)) {
    faults.push(
      `${projection.name}.${method} is marked with the EventHandler of aggregates (import { EventHandler } from '@narrative/core'); in a projection use import { EventHandler } from '@narrative/projections'.`,
    )
  }
  for (const source of mark?.from ?? []) {
    if (typeof source !== 'function') continue
    for (const { method } of handlerMarks(source)) {
      faults.push(
        `${source.name}.${String(method)} is marked with the EventHandler of projections (import { EventHandler } from '@narrative/projections'); in an aggregate use import { EventHandler } from '@narrative/core'.`,
      )
    }
  }
  return {
    faults,
    definition: {
      name: mark?.name ?? projection.name,
      from: mark?.from ?? [],
      ...toPlain(mark ?? {}),
      handlers: handlerMarks(projection).map(({ method, eventClass, rows }) => ({
        event: eventClass,
        name: `${projection.name}.${String(method)}`,
        handle: projection.prototype[method],
        rows,
      })),
      sideEffects: sideEffectMarks(projection).map(({ method }) => method),
      projectionClass: projection,
    },
  }
}
