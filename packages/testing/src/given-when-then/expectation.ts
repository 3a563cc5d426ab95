// The last phase: what must have come of the command.
import assert, { AssertionError } from 'node:assert'
import { inspect, isDeepStrictEqual } from 'node:util'
import { describeError, type Failure, failure, manyLines, type NamedMessage, pointAtTest, spread } from './failure.js'
import { plainData } from './plain-data.js'
import { type Outcome, runStory, type Story } from './run-story.js'

/** What may be checked of a state: a function that throws when it is wrong, or the fields that matter. */
export type StateExpectation<State> = ((state: State) => void) | Readonly<Record<string, unknown>>

/** A class of errors, or the `code` of one. */
export type RejectionExpectation<E extends Error = Error> = (abstract new (...args: any[]) => E) | string

/**
 * Ends a specification. Every ending carries the command out (once) and resolves when it came out as expected,
 * or rejects with an AssertionError that tells the story and the difference.
 */
export interface Expectation<State, E extends object> {
  /** Exactly these events, in this order: none is missing, none is left over. */
  then(...events: E[]): Promise<void>
  /** The command was accepted and led to no event. */
  thenNothing(): Promise<void>
  /**
   * The command was rejected and nothing was stored.
   *
   * @param expected the class of the error, or its code: a domain error's own, or one of Narrative's
   * @param details fields of the error's `details`, or a function that looks at the error and throws when it is wrong
   */
  thenRejects<Err extends Error = Error>(
    expected: RejectionExpectation<Err>,
    details?: Readonly<Record<string, unknown>> | ((error: Err) => void),
  ): Promise<void>
  /** The state after the command, folded from what was stored. Fields that are not named are not looked at. */
  thenState(expected: StateExpectation<State>): Promise<void>
}

export function expectation<State, E extends object>(story: Story): Expectation<State, E> {
  let outcome: Promise<Outcome> | undefined
  const forgotten = expectsNothing()
  // A test that forgets its expectation would pass in silence: fail it loudly, once its turn is over.
  setImmediate(() => {
    if (outcome === undefined) throw forgotten
  })
  const run = () => {
    outcome ??= runStory(story)
    return outcome
  }

  return {
    // biome-ignore lint/suspicious/noThenProperty: given, when, then; an early `await` is told apart below
    then(...expected: unknown[]): Promise<void> {
      const [resolve, reject] = expected
      if (typeof resolve === 'function' && typeof reject === 'function') {
        // `await` and `return` in an async function call it so; an event is never a function.
        outcome = Promise.resolve(undefined as never)
        return reject(forgotten)
      }
      return run().then((told) => checkEvents(told, expected as object[]))
    },
    thenNothing: async () => checkEvents(await run(), []),
    thenRejects: async (expected, details) => checkRejection(await run(), expected, details as never),
    thenState: async (expected) => checkState(await run(), expected as StateExpectation<unknown>),
  }
}

function expectsNothing(): AssertionError {
  const message =
    'This test expects nothing: end it with .then(...events), .thenNothing(), .thenRejects(error) or .thenState(state), and await that.'
  return pointAtTest(new AssertionError({ message }))
}

function checkEvents(told: Outcome, events: readonly object[]): void {
  const expected = events.map((event) => nameExpected(told, event))
  mustNotChangeState(told)
  mustBeAccepted(told, expected)
  mustSurviveStorage(told)
  if (isDeepStrictEqual(told.stored, expected)) return
  fail(told, {
    what: expected.length === 0 ? 'Expected no events, but there are some' : 'The events are not the expected ones',
    expected,
    actual: told.stored,
    diff: [manyLines(expected), manyLines(told.stored)],
  })
}

function checkRejection(
  told: Outcome,
  expected: RejectionExpectation,
  details: Readonly<Record<string, unknown>> | ((error: Error) => void) | undefined,
): void {
  mustNotChangeState(told)
  const name = typeof expected === 'string' ? expected : expected.name
  if (told.rejection === undefined) {
    fail(told, {
      what: `Expected the rejection ${name}, but the command was accepted and led to ${told.stored.length === 0 ? 'no events' : told.stored.map(({ type }) => type).join(', ')}`,
    })
  }
  const { error } = told.rejection
  const matches =
    typeof expected === 'string' ? (error as { code?: unknown })?.code === expected : error instanceof expected
  if (!matches) {
    fail(told, {
      what: `Expected the rejection ${name}, but the command was rejected with ${describeError(error)}`,
      cause: error,
    })
  }
  if (typeof details === 'function') details(error as Error)
  else if (details !== undefined)
    checkFields(told, `the details of ${name}`, (error as { details?: object }).details, details)
}

function checkState(told: Outcome, expected: StateExpectation<unknown>): void {
  mustNotChangeState(told)
  mustBeAccepted(told, undefined)
  mustSurviveStorage(told)
  if (typeof expected === 'function') expected(told.state)
  else checkFields(told, 'the state', told.state, expected)
}

function checkFields(told: Outcome, what: string, actual: unknown, expected: Readonly<Record<string, unknown>>): void {
  const named = Object.keys(expected).map((key) => [key, (actual as Record<string, unknown> | undefined)?.[key]])
  const chosen = plainData(Object.fromEntries(named))
  const wanted = plainData(expected)
  if (isDeepStrictEqual(chosen, wanted)) return
  fail(told, {
    what: `In ${what}, not all is as expected`,
    expected: wanted,
    actual: chosen,
    diff: [spread(wanted), spread(chosen)],
  })
}

function mustBeAccepted(told: Outcome, expected: readonly NamedMessage[] | undefined): void {
  if (told.rejection === undefined) return
  const { error } = told.rejection
  const wish =
    expected === undefined
      ? 'a state'
      : expected.length === 0
        ? 'no events'
        : expected.map(({ type }) => type).join(', ')
  fail(told, {
    what: `Expected ${wish}, but the command was rejected with ${describeError(error)}`,
    cause: error,
  })
}

function mustSurviveStorage(told: Outcome): void {
  if (isDeepStrictEqual(told.stored, told.decided)) return
  fail(told, {
    what: 'An event does not survive storage: what is read back differs from what the command handler returned',
    expected: told.decided,
    actual: told.stored,
    diff: [manyLines(told.decided), manyLines(told.stored)],
  })
}

function mustNotChangeState({ stateChange, ...told }: Outcome): void {
  if (stateChange === undefined) return
  fail(told, {
    what: 'The command handler changed the state itself, which no event tells of; return an event and change the state in its @EventHandler',
    diff: [stateChange.before, stateChange.after],
  })
}

function nameExpected(told: Outcome, event: object): NamedMessage {
  assert.ok(typeof event === 'object' && event !== null, `then(...) takes events, but got ${inspect(event)}.`)
  return told.named(event)
}

function fail(told: Pick<Outcome, 'given' | 'when'>, fields: Omit<Failure, 'story'>): never {
  throw failure({ ...fields, story: { given: told.given, when: told.when } })
}
