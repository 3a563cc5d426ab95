// The only thing decorators do: leave marks on classes, by reflect-metadata. Read once, at start-up.
import 'reflect-metadata'
import type { Upcaster } from '../codec/event-type.js'
import type { Class } from '../messages/message-class.js'

/** Left by `@Command`. */
export interface CommandMark {
  readonly name: string
  readonly schema: unknown
}

/** Left by `@Event`. */
export interface EventMark {
  readonly name: string
  readonly version: number
  readonly upcast: Readonly<Record<number, Upcaster>>
  readonly revive: ((data: any) => object) | undefined
}

/** Left by `@Aggregate`. */
export interface AggregateMark {
  readonly category: string
  readonly revision: number
  readonly snapshotEvery: number | undefined
}

/** Left by a handler decorator: which method handles which message class. */
export interface HandlerMark {
  readonly method: string | symbol
  readonly messageClass: Class
  readonly options?: unknown
}

const keys = {
  command: 'narrative:command',
  event: 'narrative:event',
  aggregate: 'narrative:aggregate',
  query: 'narrative:query',
  aggregateId: 'narrative:aggregate-id',
  commandHandlers: 'narrative:command-handlers',
  eventHandlers: 'narrative:event-handlers',
  queryHandlers: 'narrative:query-handlers',
} as const

interface MarkTypes {
  command: CommandMark
  event: EventMark
  aggregate: AggregateMark
  query: string
}

/** Marks a class. */
export function setMark<K extends keyof MarkTypes>(kind: K, target: object, mark: MarkTypes[K]): void {
  Reflect.defineMetadata(keys[kind], mark, target)
}

/** The mark on exactly this class: a subclass is another message, with a name of its own. */
export function getMark<K extends keyof MarkTypes>(kind: K, target: object): MarkTypes[K] | undefined {
  return Reflect.getOwnMetadata(keys[kind], target) as MarkTypes[K] | undefined
}

type ListKind = 'commandHandlers' | 'eventHandlers' | 'queryHandlers'

/** Adds a handler to the class that owns a prototype. */
export function addHandlerMark(kind: ListKind, prototype: object, mark: HandlerMark): void {
  const target = prototype.constructor
  const own = (Reflect.getOwnMetadata(keys[kind], target) as HandlerMark[] | undefined) ?? []
  Reflect.defineMetadata(keys[kind], [...own, mark], target)
}

/** The handlers of a class and of those it extends. */
export function getHandlerMarks(kind: ListKind, target: object): readonly HandlerMark[] {
  const marks: HandlerMark[] = []
  for (let c: object | null = target; c !== null && c !== Function.prototype; c = Object.getPrototypeOf(c)) {
    marks.unshift(...((Reflect.getOwnMetadata(keys[kind], c) as HandlerMark[] | undefined) ?? []))
  }
  return marks
}

/** Marks the property of a command that holds the aggregate id. */
export function addAggregateIdMark(prototype: object, property: string | symbol): void {
  const target = prototype.constructor
  const own = (Reflect.getOwnMetadata(keys.aggregateId, target) as (string | symbol)[] | undefined) ?? []
  Reflect.defineMetadata(keys.aggregateId, [...own, property], target)
}

/** The properties marked as aggregate id, on a class and on those it extends. */
export function getAggregateIdMarks(target: object): readonly (string | symbol)[] {
  const marks: (string | symbol)[] = []
  for (let c: object | null = target; c !== null && c !== Function.prototype; c = Object.getPrototypeOf(c)) {
    marks.push(...((Reflect.getOwnMetadata(keys.aggregateId, c) as (string | symbol)[] | undefined) ?? []))
  }
  return [...new Set(marks)]
}
