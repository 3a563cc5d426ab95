// Events given to a projection as in production: appended to a log in memory, followed, folded, rebuilt from offset 0.
import { randomUUID } from 'node:crypto'
import {
  type AggregateDefinition,
  type Application,
  type Class,
  createApplication,
  createEventCodec,
  inMemoryEventStore,
  type NewEvent,
  readAggregate,
  silentLogger,
  toStreamId,
} from '@narrative/core'
import { type ProjectionDefinition, projections, readProjection, type Table } from '@narrative/projections'
import { at } from '../settable-clock.js'
import type { NamedMessage } from './failure.js'
import { plainData } from './plain-data.js'
import { type GivenOptions, nameEvent } from './run-story.js'
import { servicesPart } from './services-part.js'
import { openViewStore, type PostgresAddress, type ViewStore } from './view-store.js'

/** A row as plain data. */
export type PlainRow = Readonly<Record<string, unknown>>

/** What the projection under test lives with, and where. */
export interface ProjectingOptions extends GivenOptions {
  /**
   * A Postgres to keep the rows in, such as what `startPostgres` gives. Each story has a schema of its own there, and leaves nothing behind.
   * Default: in memory.
   */
  readonly on?: PostgresAddress
}

/** What is to be projected. */
export interface ViewStory {
  readonly projection: Class | ProjectionDefinition
  readonly options: ProjectingOptions
  /** In the order in which they happened. */
  readonly given: readonly { readonly aggregateId: string; readonly event: object }[]
}

/** What came of it. */
export interface View {
  readonly name: string
  readonly given: readonly NamedMessage[]
  /** Set when the projection stopped at an event. */
  readonly stopped: { readonly error: unknown } | undefined
  readonly rows: ViewRows
  /** The rows after a rebuild from offset 0. */
  readonly rebuilt: ViewRows
}

/** The rows of each table, by key. */
export type ViewRows = Readonly<Record<string, readonly PlainRow[]>>

/** What the test wants to see, once all events are projected. */
export type Look = (store: ViewStore) => Promise<ViewRows>

/** @throws NarrativeError when the story cannot be told: start-up faults, events that are not of the projection's aggregates */
export async function runView(story: ViewStory, look: Look): Promise<View> {
  const store = await openViewStore(story.options.on)
  try {
    return await runOn(store, story, look)
  } finally {
    await store.discard()
  }
}

async function runOn(store: ViewStore, { projection, options, given }: ViewStory, look: Look): Promise<View> {
  const { definition, faults } = readProjection(projection)
  const aggregates = definition.from.map(aggregateOf)
  const codec = createEventCodec(aggregates.flatMap((aggregate) => aggregate.events))
  // Whatever the projection does with a failing event in production, a test is to hear of it.
  const strict = { ...definition, onFailure: { retries: 0, action: 'stop' } } as const
  // What is wrong with a class, the application says by itself.
  const views = projections([faults.length > 0 ? projection : strict], { store: store.readModels })
  const app = await createApplication({
    aggregates: definition.from,
    eventStore: inMemoryEventStore(),
    clock: options.clock ?? at('2026-01-01T00:00:00Z'),
    modules: options.modules,
    parts: [servicesPart(options.services ?? []), views],
    logger: silentLogger,
  })
  try {
    const encoded = given.map(({ aggregateId, event }) => ({ aggregateId, event: codec.encode(event) }))
    const told = { name: definition.name, given: given.map(({ event }) => nameEvent(codec, event)) }
    const nothing = { rows: {}, rebuilt: {} }
    try {
      // One after the other: events of different aggregates have no order in the log but the one they are read in.
      for (const { aggregateId, event } of encoded) {
        const position = await append(app, streamOf(aggregates, aggregateId, event), event)
        await views.waitFor!(position, { timeout: 10_000 })
      }
    } catch (error) {
      return { ...told, ...nothing, stopped: { error } }
    }
    const rows = await look(store)
    try {
      await views.rebuild(definition.name)
    } catch (error) {
      await views.cancelRebuild(definition.name) // what it left behind
      return { ...told, ...nothing, stopped: { error } }
    }
    return { ...told, rows, rebuilt: await look(store), stopped: undefined }
  } finally {
    await app.stop()
  }
}

function aggregateOf(source: object): AggregateDefinition {
  return typeof source === 'function' ? readAggregate(source as Class).definition : (source as AggregateDefinition)
}

/** All rows of a projection's tables. */
export function lookAtTables(projection: ViewStory['projection']): Look {
  return async ({ readModels }) => {
    const tables = Object.entries(tablesIn(readProjection(projection).definition))
    const rowsOf = (table: Table) => readModels.reader(table).findWhere({}, { limit: Number.MAX_SAFE_INTEGER })
    return Object.fromEntries(
      await Promise.all(tables.map(async ([name, table]) => [name, byKey(table, await rowsOf(table))] as const)),
    )
  }
}

/** By the names that handlers call them by; the only table of a projection by its own. */
export function tablesIn({ name, target }: ProjectionDefinition): Readonly<Record<string, Table>> {
  if (target.kind === 'tables') return target.tables
  if (target.kind === 'table') return { [target.table.name]: target.table }
  throw new TypeError(`Projection ${name} has no table; say what to ask Postgres, with thenQuery(text, …rows).`)
}

/** The codec took the event, so one of the aggregates has it. */
function streamOf(aggregates: readonly AggregateDefinition[], aggregateId: string, { type }: NewEvent): string {
  const aggregate = aggregates.find(({ events }) => events.some(({ name }) => name === type))!
  return toStreamId(aggregate.category, aggregateId)
}

async function append(app: Application, streamId: string, event: NewEvent) {
  const id = randomUUID()
  const metadata = { commandId: id, correlationId: id, causationId: id }
  const result = await app.eventStore.append(streamId, [event], { expectedVersion: 'any', metadata })
  if (result.outcome === 'appended') return result.position
  throw new TypeError('An append that expects any version cannot conflict.')
}

/** Rows have no order of their own. */
export function byKey({ key }: Table, rows: readonly object[]): PlainRow[] {
  const keyOf = (row: PlainRow) => JSON.stringify(key.map(({ property }) => row[property]))
  return plainRows(rows).sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
}

export function plainRows(rows: readonly object[]): PlainRow[] {
  return rows.map((row) => plainData(row) as PlainRow)
}
