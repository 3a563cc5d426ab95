// Given these events, then those rows: the test of a projection, through the runtime that follows the log.
import { isDeepStrictEqual } from 'node:util'
import type { Class } from '@narrative/core'
import { type ProjectionDefinition, readProjection } from '@narrative/projections'
import { describeError, failure, spread } from './failure.js'
import { byKey, type PlainRow, type ProjectingOptions, runView, type View, type ViewStory } from './run-view.js'

/** The rows that the handlers of a projection class return. */
export type FoldedRow<P> = NonNullable<
  { [K in keyof P]: P[K] extends (...args: any[]) => infer R ? R : never }[keyof P]
>

/** What has happened so far. */
export interface Projecting<Row> {
  /** Events of one more aggregate, or more events of one; all in the order in which they happened. */
  events(aggregateId: string, ...events: object[]): Projecting<Row>
  /**
   * Exactly these rows are in the table, in any order; none when none are given.
   *
   * The projection is rebuilt from offset 0, too, and must come to the same rows. A fold that looks at a clock, keeps a
   * state of its own, or relies on the order of events of different aggregates (the log has none) does not.
   */
  thenRows(...rows: Row[]): Promise<void>
}

/**
 * Begins the test of a projection with a table.
 *
 * @param projection a class marked with `@Projection`, or a definition
 * @param options `on: postgres` tells the same story on a real Postgres
 * @throws AssertionError (the promise of `thenRows` rejects) with the events and the difference
 * @throws NarrativeError `STARTUP_FAULTS`, and `EVENT_FOREIGN` when an event is not of an aggregate it follows
 * @example
 * ```ts
 * await projecting(OrdersView)
 *   .events(id, new OrderPlaced(id, lines), new OrderCancelled('late'))
 *   .thenRows({ orderId: id, status: 'cancelled', total: 250 })
 * ```
 */
export function projecting(projection: ProjectionDefinition, options?: ProjectingOptions): Projecting<object>
export function projecting<P extends object>(
  projection: new (...services: any[]) => P,
  options?: ProjectingOptions,
): Projecting<FoldedRow<P>>
export function projecting(
  projection: Class | ProjectionDefinition,
  options: ProjectingOptions = {},
): Projecting<object> {
  return phase({ projection, options, given: [] })
}

function phase(story: ViewStory): Projecting<object> {
  return {
    events: (aggregateId, ...events) =>
      phase({ ...story, given: [...story.given, ...events.map((event) => ({ aggregateId, event }))] }),
    async thenRows(...rows) {
      const view = await runView(story)
      const { target } = readProjection(story.projection).definition
      checkRows(view, byKey(rows, target.kind === 'table' ? target.table.key.map(({ property }) => property) : []))
    },
  }
}

function checkRows(view: View, expected: readonly PlainRow[]): void {
  const story = { given: view.given }
  if (view.stopped !== undefined) {
    const { error } = view.stopped
    throw failure({ what: `The projection stopped: ${describeError(error)}`, story, cause: error })
  }
  if (!isDeepStrictEqual(view.rows, expected)) {
    throw failure({
      what: `The rows of ${view.name} are not the expected ones`,
      story,
      expected,
      actual: view.rows,
      diff: [rowLines(expected), rowLines(view.rows)],
    })
  }
  if (isDeepStrictEqual(view.rebuilt, view.rows)) return
  throw failure({
    what: `Rebuilt from offset 0, ${view.name} has other rows than before: its handlers must depend on row, event and context alone, not on what else happened or on the order of events of different aggregates`,
    story,
    expected: view.rows,
    actual: view.rebuilt,
    diff: [rowLines(view.rows), rowLines(view.rebuilt)],
  })
}

function rowLines(rows: readonly PlainRow[]): string {
  return rows.length === 0 ? 'no rows' : rows.map(spread).join('\n')
}
