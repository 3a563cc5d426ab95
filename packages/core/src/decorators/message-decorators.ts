// @Command, @AggregateId, @Event and @Query: what a class is called in storage and on the wire.
import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { Upcaster } from '../codec/event-type.js'
import type { Class } from '../messages/message-class.js'
import { addAggregateIdMark, setMark } from './marks.js'

/**
 * Names a command class. class-validator decorators on its properties say what is acceptable.
 *
 * @param name stable, written by hand, such as `order.place`
 * @param options `schema`: a Standard Schema that validates the command instead of class-validator
 * @example
 * ```ts
 * @Command('order.cancel')
 * export class CancelOrder {
 *   @AggregateId() @IsUUID() readonly orderId!: string
 *   constructor(fields: Fields<CancelOrder>) { Object.assign(this, fields) }
 * }
 * ```
 */
export function Command(name: string, options: { readonly schema?: StandardSchemaV1 } = {}) {
  return (target: Class): void => setMark('command', target, { name, schema: options.schema })
}

/** Marks the one property of a command that holds the id of the aggregate it is for. */
export function AggregateId() {
  return (prototype: object, property: string | symbol): void => addAggregateIdMark(prototype, property)
}

/** How an event class is stored. */
export interface EventOptions<E extends object> {
  /** The schema version written today, default 1. */
  readonly version?: number
  /** Upcasters by the version they start from: `{ 1: (v1) => v2 }`. */
  readonly upcast?: Readonly<Record<number, Upcaster>>
  /** Makes an event out of its plain data, for events with values that JSON flattens (dates); default: the data, with the class's prototype. */
  readonly revive?: (data: any) => E
}

/**
 * Names an event class. The name is storage: write it by hand and never change it. Renaming the class is always safe.
 *
 * @example
 * ```ts
 * @Event('order.placed', { version: 2, upcast: { 1: (data) => ({ ...data, currency: 'EUR' }) } })
 * export class OrderPlaced { constructor(readonly orderId: string, readonly currency: string) {} }
 * ```
 */
export function Event<E extends object>(name: string, options: EventOptions<E> = {}) {
  return (target: Class<E>): void =>
    setMark('event', target, {
      name,
      version: options.version ?? 1,
      upcast: options.upcast ?? {},
      revive: options.revive,
    })
}

/**
 * Names a query class. Declare its answer with `declare readonly [returns]: Answer`.
 *
 * @param name stable, written by hand, such as `order.by-id`
 */
export function Query(name: string) {
  return (target: Class): void => setMark('query', target, name)
}
