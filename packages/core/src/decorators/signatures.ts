// Compile-time checks of handler methods: a wrong signature is a compile error that reads as a sentence.
import type { CommandContext, Decision, EventContext } from '../definition/aggregate-definition.js'

/** A type nothing is assignable to; its name is what the compiler shows. */
export interface SignatureError<Sentence extends string> {
  readonly __error: Sentence
}

/** True when a value of `Given` may be passed for the first parameter of a method with `Parameters`. */
type Accepts<Parameters extends readonly unknown[], Given extends readonly unknown[]> = Parameters extends readonly []
  ? true
  : Parameters extends readonly [infer P0, ...infer Rest]
    ? Given extends readonly [infer G0, ...infer GivenRest]
      ? [G0] extends [P0]
        ? Accepts<Rest, GivenRest>
        : false
      : false
    : Parameters extends readonly [(infer P0)?, ...infer Rest]
      ? Given extends readonly [infer G0, ...infer GivenRest]
        ? [G0] extends [P0]
          ? Accepts<Rest, GivenRest>
          : false
        : true
      : true

/** The check behind `@CommandHandler(C)`. */
export type CommandHandlerMethod<C, F> = F extends (...parameters: infer P) => infer R
  ? Accepts<P, [C, CommandContext]> extends true
    ? [Awaited<R>] extends [Decision]
      ? unknown
      : SignatureError<'A @CommandHandler method returns an event, an array of events, or nothing (or a promise of that).'>
    : SignatureError<'A @CommandHandler(C) method takes (command: C, context: CommandContext): its parameters do not fit the class named in the decorator.'>
  : never

/** The check behind `@EventHandler(E)` of an aggregate. */
export type EventHandlerMethod<E, F> = F extends (...parameters: infer P) => infer R
  ? Accepts<P, [E, EventContext]> extends true
    ? [R] extends [undefined | void]
      ? unknown
      : SignatureError<'An @EventHandler method of an aggregate changes its state and returns nothing; it is synchronous. (Projections import EventHandler from @narrative/projections.)'>
    : SignatureError<'An @EventHandler(E) method takes (event: E, context: EventContext): its parameters do not fit the class named in the decorator.'>
  : never

/** The check behind `@QueryHandler(Q)`. */
export type QueryHandlerMethod<Q, Answer, F> = F extends (...parameters: infer P) => infer R
  ? Accepts<P, [Q]> extends true
    ? [Awaited<R>] extends [Answer]
      ? unknown
      : SignatureError<'A @QueryHandler(Q) method returns what the query declares with [returns] (or a promise of it).'>
    : SignatureError<'A @QueryHandler(Q) method takes (query: Q): its parameter does not fit the class named in the decorator.'>
  : never
