// A projection among the aggregates and events of one application: what it follows, and who handles which stored name.
import {
  type AggregateDefinition,
  type Clock,
  type EventCodec,
  type PartContext,
  type RecordedEvent,
  systemClock,
} from '@narrative/core'
import type { FailurePolicy } from './failure-policy.js'
import {
  type HandlerDefinition,
  type ProjectionDefinition,
  type ProjectionTarget,
  tablesOf,
  type Workers,
} from './projection-definition.js'
import { tellingReplay } from './side-effects.js'
import { assertReadable, type Reread, readAgain, unreadableHandler, unreadableType } from './unreadable-event.js'

/** A projection that is ready to be followed. */
export interface BoundProjection {
  readonly definition: ProjectionDefinition
  readonly name: string
  readonly target: ProjectionTarget
  /** By which its workers share its partitions. */
  readonly group: string
  readonly onFailure: FailurePolicy
  /** Of the application. */
  readonly clock: Clock
  readonly workers: Workers
  readonly categories: readonly string[]
  /** By the event name as stored; an event that is not in it is not even decoded. */
  readonly handlers: ReadonlyMap<string, HandlerDefinition>
  decode(event: RecordedEvent): object
  /** What could not be read when it was parked may be readable by now. */
  reread(event: RecordedEvent): RecordedEvent
  /** The object the handlers belong to: one per application. */
  instance(): any
}

/** The part of an application a projection is bound to. */
export interface BindingContext extends Pick<PartContext, 'definitionOf' | 'codec'> {
  /** Default: the clock of this machine. */
  readonly clock?: Clock
  /** That of the log that is followed, once it is there. */
  readonly reread?: Reread
}

/** Binds a projection; `instance` is asked for it when it starts. */
export function bindProjection(
  definition: ProjectionDefinition,
  context: BindingContext,
  instance: () => unknown,
): { readonly bound: BoundProjection; readonly faults: readonly string[] } {
  const { name, from, target } = definition
  const what = `Projection ${name}`
  const faults: string[] = []

  const aggregates: AggregateDefinition[] = []
  for (const source of from) {
    const aggregate = context.definitionOf(source)
    if (aggregate !== undefined) aggregates.push(aggregate)
    else faults.push(`${what} follows ${nameOf(source)}, which is not among the aggregates of this application.`)
  }
  if (from.length === 0) faults.push(`${what} follows nothing: name its aggregates in { from: [...] }.`)
  if (name.trim() === '' || name.length > 200)
    faults.push(`A projection needs a name of 1 to 200 characters, not ${JSON.stringify(name)}.`)

  const handlers = new Map<string, HandlerDefinition>()
  const emitted = new Set(aggregates.flatMap((aggregate) => aggregate.events.map((type) => type.name)))
  for (const handler of definition.handlers) {
    const eventName = eventNameOf(handler, context.codec)
    if (eventName === undefined || (!emitted.has(eventName) && faults.length === 0)) {
      faults.push(
        `${handler.name} handles ${nameOf(handler.event)}, which is no event of ${from.map(nameOf).join(', ')}.`,
      )
    } else if (handlers.has(eventName) && handlers.get(eventName)!.name !== handler.name) {
      faults.push(
        `${what} handles event ${eventName} twice: in ${handlers.get(eventName)!.name} and in ${handler.name}.`,
      )
    } else {
      handlers.set(eventName, definition.sideEffects.length > 0 ? tellingReplay(handler) : handler)
    }
  }
  if (definition.handlers.length === 0)
    faults.push(`${what} handles no event: mark methods with @EventHandler of @narrative/projections.`)

  faults.push(...tablesOf(target).flatMap((table) => table.faults), ...faultsOfRows(definition))
  if (target.kind === 'table') {
    const [key] = target.table.key
    if (
      definition.key === undefined &&
      (target.table.key.length > 1 || (key?.type !== 'text' && key?.type !== 'uuid'))
    ) {
      faults.push(
        `${what} needs { key: (event, context) => … }: without it the key is the aggregate id, which table ${target.table.name} (key ${target.table.key.map((c) => c.property).join(', ')}) cannot hold.`,
      )
    }
  }
  return {
    faults,
    bound: {
      definition,
      name,
      target,
      group: `projection.${name}`,
      onFailure: definition.onFailure,
      clock: context.clock ?? systemClock,
      workers: definition.workers ?? workersOf(definition),
      categories: aggregates.map((aggregate) => aggregate.category),
      handlers: storedNames(handlers, context.codec).set(unreadableType, unreadableHandler),
      decode(event) {
        assertReadable(event)
        return context.codec.decode(event)
      },
      reread: (event) => readAgain(event, context.reread),
      instance,
    },
  }
}

/** What is wrong with the tables of a projection, and with what its handlers ask of them. */
function faultsOfRows({ name, target, key, handlers }: ProjectionDefinition): string[] {
  if (target.kind !== 'tables') {
    return handlers
      .filter(({ rows }) => rows !== undefined)
      .map((handler) => `${handler.name} asks for rows by table, but projection ${name} has no { tables }.`)
  }
  const faults: string[] = []
  const entries = Object.entries(target.tables)
  if (entries.length === 0) faults.push(`Projection ${name} names no table in { tables: { … } }.`)
  for (const [property, table] of entries) {
    const [twin] = entries.find(([, other]) => other.name === table.name)!
    if (twin !== property)
      faults.push(`Projection ${name} has table ${table.name} twice: as ${twin} and as ${property}.`)
  }
  if (key !== undefined)
    faults.push(`Projection ${name} has tables and a key: with tables, each handler says which rows it concerns.`)
  for (const handler of handlers) {
    if (handler.rows !== undefined) continue
    faults.push(
      `${handler.name} does not say which rows it concerns: @EventHandler(${nameOf(handler.event)}, (event, context) => ({ ${entries[0]?.[0] ?? 'table'}: … })).`,
    )
  }
  return faults
}

/** Many, when each row is surely made of the events of one stream, and so of one partition. */
function workersOf({ target, key, from }: ProjectionDefinition): Workers {
  return target.kind === 'table' && key === undefined && from.length === 1 ? 'many' : 'one'
}

function eventNameOf(handler: HandlerDefinition, codec: EventCodec): string | undefined {
  if (typeof handler.event === 'string') return codec.types.get(handler.event)?.name
  for (const type of codec.types.values()) if (type.eventClass === handler.event) return type.name
  return undefined
}

/** An event may be stored under more than one name: the codec knows them all. */
function storedNames(
  handlers: ReadonlyMap<string, HandlerDefinition>,
  codec: EventCodec,
): Map<string, HandlerDefinition> {
  const byStoredName = new Map<string, HandlerDefinition>()
  for (const [stored, type] of codec.types) {
    const handler = handlers.get(type.name)
    if (handler !== undefined) byStoredName.set(stored, handler)
  }
  return byStoredName
}

/** A class, a decider or an event, as a person would call it. */
export function nameOf(thing: unknown): string {
  if (typeof thing === 'string') return thing
  if (typeof thing === 'function') return thing.name || 'an unnamed class'
  const { name, category } = (thing ?? {}) as { name?: unknown; category?: unknown }
  return String(name ?? category ?? thing)
}
