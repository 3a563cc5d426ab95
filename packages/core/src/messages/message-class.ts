// The shapes of users' message classes, and the two optional marks by which results are typed.

/** A class of `T`, abstract or not. */
export type Class<T extends object = object> = abstract new (...args: any[]) => T

/**
 * Types a command's result: `declare readonly [emits]: OrderPlaced` inside a command class makes
 * `commands.execute(command)` resolve with those events. Types only; it leaves nothing at run time.
 */
export const emits: unique symbol = Symbol('narrative.emits')

/** The events a command leads to, as declared with {@link emits}; otherwise any object. */
export type EventsOf<C> = C extends { readonly [emits]: infer E }
  ? unknown extends E
    ? object
    : NonNullable<E>
  : object

/** Types a query's answer: `declare readonly [returns]: OrderRow` inside a query class. */
export const returns: unique symbol = Symbol('narrative.returns')

/** The answer of a query, as declared with {@link returns}; otherwise unknown. */
export type AnswerOf<Q> = Q extends { readonly [returns]: infer R } ? R : unknown

/**
 * The data fields of a message class, for a one-line constructor:
 *
 * @example
 * ```ts
 * export class CancelOrder {
 *   constructor(fields: Fields<CancelOrder>) { Object.assign(this, fields) }
 * }
 * ```
 */
export type Fields<T> = {
  [K in keyof T as K extends symbol ? never : T[K] extends (...args: any[]) => unknown ? never : K]: T[K]
}
