// The key of an event for projections without a table: what is applied in order, and waits when an earlier event of it is parked.
import type { BoundProjection } from '../definition/bind-projection.js'
import type { ProjectionContext } from '../definition/projection-context.js'

export function keyOfEvent({ definition }: BoundProjection, event: object, context: ProjectionContext): string {
  if (definition.key === undefined) return context.streamId
  const key = definition.key(event, context)
  if (typeof key === 'string') return key
  throw new TypeError(
    `the key of an event is a text, but key(event, context) gave ${key === null ? 'null' : `a ${typeof key}`}`,
  )
}
