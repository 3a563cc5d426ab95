// Given these events, when this command, then those: the test of an aggregate, through the real command path.
import type { AggregateDefinition, CommandOptions, EventsOf } from '@narrative/core'
import { type Expectation, expectation } from './expectation.js'
import type { GivenOptions } from './run-story.js'

/** What is known of the aggregate's past. */
export interface Given<State> extends When<State> {
  /** What happened to this aggregate before, in order. */
  events(...events: object[]): When<State>
}

/** The past is complete; the command is next. */
export interface When<State> {
  /** @param options as for `commands.execute`: command id, expected version, deadline, … */
  when<C extends object>(command: C, options?: CommandOptions): Expectation<State, EventsOf<C>>
}

/**
 * Begins the test of an aggregate, without events when nothing happened before.
 *
 * The command goes the way it goes in production: validation, definition, handler, codec, append, on a store in
 * memory. Given events are stored and read back too. An event that does not survive storage fails the test, and so
 * does a command handler that changes the state itself.
 *
 * @param aggregate a class marked with `@Aggregate`, or a decider
 * @throws AssertionError (the promise of the last phase rejects) with the story and the difference
 * @throws NarrativeError `STARTUP_FAULTS`, and `EVENT_FOREIGN` when an event is not one of the aggregate's
 * @example
 * ```ts
 * await given(Order).events(new OrderPlaced(id, lines)).when(new CancelOrder({ orderId: id })).then(new OrderCancelled(id))
 * await given(Order).when(new CancelOrder({ orderId: id })).thenRejects(OrderNotFound)
 * await given(Order, { clock: at('2026-12-24T18:00:00Z') }).when(new PlaceOrder({ orderId: id, lines })).thenRejects('order.closed')
 * ```
 */
export function given<State>(
  aggregate: (new () => State) | AggregateDefinition<State>,
  options: GivenOptions = {},
): Given<State> {
  const after = (events: readonly object[]): When<State> => ({
    when: (command, commandOptions = {}) => expectation({ aggregate, options, given: events, command, commandOptions }),
  })
  return { ...after([]), events: (...events) => after(events) }
}
