// Given these events, then those rows: the test of a projection, through the runtime that follows the log.
import { isDeepStrictEqual } from 'node:util'
import type { Class } from '@narrative/core'
import { type ProjectionDefinition, readProjection } from '@narrative/projections'
import { describeError, failure, spread } from './failure.js'
import {
  byKey,
  lookAtTables,
  type ProjectingOptions,
  plainRows,
  runView,
  tablesIn,
  type View,
  type ViewRows,
  type ViewStory,
} from './run-view.js'

/** The rows that the handlers of a projection class return. */
export type FoldedRow<P> = NonNullable<
  { [K in keyof P]: P[K] extends (...args: any[]) => infer R ? R : never }[keyof P]
>

/** What the handlers of a projection class with several tables return: rows by table. */
export type FoldedTables<P> = {
  readonly [T in KeysOf<FoldedRow<P>>]?: readonly object[]
}

type KeysOf<Rows> = Rows extends unknown ? keyof Rows & string : never

/** What has happened so far. */
export interface Projecting<Row, Tables = Readonly<Record<string, readonly object[]>>> {
  /** Events of one more aggregate, or more events of one; all in the order in which they happened. */
  events(aggregateId: string, ...events: object[]): Projecting<Row, Tables>
  /**
   * Exactly these rows are in the table, in any order; none when none are given.
   *
   * The projection is rebuilt from offset 0, too, and must come to the same rows. A fold that looks at a clock, keeps a
   * state of its own, or relies on the order of events of different aggregates (the log has none) does not.
   */
  thenRows(...rows: Row[]): Promise<void>
  /** The same for a projection with several tables: exactly these rows are in them, and none in a table that is not named. */
  thenTables(tables: Tables): Promise<void>
  /**
   * Postgres answers the query with exactly these rows, in this order, and again after a rebuild: for a projection with SQL of its own, on
   * a real Postgres (`{ on }`). Name its tables without a schema, as its own statements do.
   */
  thenQuery(text: string, ...rows: object[]): Promise<void>
}

/**
 * Begins the test of a projection: with a table, with several, or with SQL of its own.
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
): Projecting<FoldedRow<P>, FoldedTables<P>>
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
      const view = await runView(story, lookAtTables(story.projection))
      const names = Object.keys(tablesIn(readProjection(story.projection).definition))
      if (names.length !== 1)
        throw new TypeError(`${view.name} has several tables: say thenTables({ ${names.join(': […], ')}: […] }).`)
      checkRows(story, view, { [names[0]!]: rows })
    },
    thenTables: async (tables) => checkRows(story, await runView(story, lookAtTables(story.projection)), tables),
    async thenQuery(text, ...rows) {
      const view = await runView(story, async ({ query }) => {
        if (query === undefined) throw new TypeError('thenQuery asks Postgres: say projecting(…, { on: postgres }).')
        return { [text]: plainRows(await query(text)) }
      })
      compare(view, { [text]: plainRows(rows) })
    },
  }
}

function checkRows({ projection }: ViewStory, view: View, rows: Readonly<Record<string, readonly object[]>>): void {
  const tables = Object.entries(tablesIn(readProjection(projection).definition))
  const strange = Object.keys(rows).find((name) => !tables.some(([known]) => known === name))
  if (strange !== undefined)
    throw new TypeError(`${view.name} has no table ${strange}; it has ${tables.map(([name]) => name).join(', ')}.`)
  const expected = Object.fromEntries(tables.map(([name, table]) => [name, byKey(table, rows[name] ?? [])]))
  compare(view, expected)
}

function compare(view: View, expected: ViewRows): void {
  const story = { given: view.given }
  if (view.stopped !== undefined) {
    const { error } = view.stopped
    throw failure({ what: `The projection stopped: ${describeError(error)}`, story, cause: error })
  }
  if (!isDeepStrictEqual(view.rows, expected)) {
    throw failure({
      what: `The rows of ${view.name} are not the expected ones`,
      story,
      expected: whole(expected),
      actual: whole(view.rows),
      diff: [rowLines(expected), rowLines(view.rows)],
    })
  }
  if (isDeepStrictEqual(view.rebuilt, view.rows)) return
  throw failure({
    what: `Rebuilt from offset 0, ${view.name} has other rows than before: its handlers must depend on row, event and context alone, not on what else happened or on the order of events of different aggregates`,
    story,
    expected: whole(view.rows),
    actual: whole(view.rebuilt),
    diff: [rowLines(view.rows), rowLines(view.rebuilt)],
  })
}

/** Of one table its rows alone. */
function whole(rows: ViewRows): unknown {
  const tables = Object.values(rows)
  return tables.length === 1 ? tables[0] : rows
}

function rowLines(rows: ViewRows): string {
  const tables = Object.entries(rows)
  const linesOf = ([name, some]: (typeof tables)[number]) => {
    const lines = some.length === 0 ? 'no rows' : some.map(spread).join('\n')
    return tables.length === 1 ? lines : `${name}:\n${lines}`
  }
  return tables.map(linesOf).join('\n')
}
