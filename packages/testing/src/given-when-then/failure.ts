// What a failed expectation says: what went wrong, the difference, and the story that led there.
import { AssertionError } from 'node:assert'
import { inspect } from 'node:util'
import { lineDiff } from './line-diff.js'

/** An event or a command by its stable name. */
export interface NamedMessage {
  readonly type: string
  readonly data: unknown
}

/** What a message can be made of. */
export interface Failure {
  /** A sentence. */
  readonly what: string
  readonly story: { readonly given: readonly NamedMessage[]; readonly when?: NamedMessage }
  readonly expected?: unknown
  readonly actual?: unknown
  /** Texts whose lines are compared, expected first. */
  readonly diff?: readonly [string, string]
  readonly cause?: unknown
}

/** For any test runner: `expected` and `actual` are set, and the message has the difference in it already. */
export function failure({ what, story, expected, actual, diff, cause }: Failure): AssertionError {
  const sentence = what.replace(/\.$/, '')
  const message = [
    diff === undefined ? `${sentence}.` : `${sentence} (- expected, + actual):`,
    '',
    ...(diff === undefined ? [] : [indent(lineDiff(...diff)), '']),
    ...lines('given', story.given.length === 0 ? ['nothing'] : story.given.map(oneLine)),
    ...lines('when', story.when === undefined ? [] : [oneLine(story.when)]),
  ].join('\n')
  const error = new AssertionError({ message, expected, actual, operator: 'given-when-then' })
  // vitest would print the difference a second time.
  Object.defineProperty(error, 'showDiff', { value: false, writable: true })
  if (cause !== undefined) error.cause = cause
  return pointAtTest(error)
}

const ownFrames = [
  'new AssertionError',
  ...['failure', 'expectation', 'given'].map((name) => new URL(`${name}.`, import.meta.url).pathname),
]

/** Takes this harness out of the stack, so that runners and editors show the line of the test. */
export function pointAtTest(error: AssertionError): AssertionError {
  const frames = error.stack?.split('\n').filter((line) => !ownFrames.some((frame) => line.includes(frame)))
  error.stack = frames?.join('\n')
  return error
}

/** Messages one below the other, a property per line, so that lines can be compared. */
export function manyLines(messages: readonly NamedMessage[]): string {
  if (messages.length === 0) return 'no events'
  return messages.map(({ type, data }) => `${type} ${spread(data)}`).join('\n')
}

/** A value, a property per line, names in alphabetical order. */
export function spread(value: unknown): string {
  return inspect(value, { depth: null, compact: false, sorted: true, maxArrayLength: null, maxStringLength: null })
}

/** `OrderAlreadyPlaced [order.already-placed]: Order 1 was already placed.` */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return inspect(error)
  const code = (error as { code?: unknown }).code
  return `${error.name}${code === undefined ? '' : ` [${String(code)}]`}: ${error.message}`
}

function lines(label: string, texts: readonly string[]): string[] {
  return texts.map((text, index) => `  ${(index === 0 ? label : '').padEnd(5)}  ${text}`)
}

function oneLine({ type, data }: NamedMessage): string {
  const text = inspect(data, { depth: 6, breakLength: Number.POSITIVE_INFINITY, compact: true })
  return `${type} ${text.length > 300 ? `${text.slice(0, 300)} …` : text}`
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, '  ')
}
