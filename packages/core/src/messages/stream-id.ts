// A stream id is `<category>-<aggregate id>`; it is the record key in Kafka, so it decides the partition for ever.
import { NarrativeError } from '../errors/narrative-error.js'

/** `<category>-<aggregate id>`, for example `order-4711`. */
export type StreamId = string

const categoryPattern = /^[a-z][a-z0-9_.]{0,99}$/

/** True for a legal category: lower-case letters, digits, `_` and `.`, a letter first, 100 characters at the most. */
export function isCategory(text: string): boolean {
  return categoryPattern.test(text)
}

/**
 * Joins a category and an aggregate id.
 *
 * @param aggregateId a non-empty string of at most 500 characters without control characters
 * @throws NarrativeError `STREAM_ID_INVALID`
 */
export function toStreamId(category: string, aggregateId: string): StreamId {
  if (
    typeof aggregateId !== 'string' ||
    aggregateId.length === 0 ||
    aggregateId.length > 500 ||
    hasControl(aggregateId)
  ) {
    throw new NarrativeError('STREAM_ID_INVALID', {
      message: `The id of a(n) ${category} must be a string of 1 to 500 characters without control characters, but is ${describe(aggregateId)}.`,
      details: { category },
    })
  }
  return `${category}-${aggregateId}`
}

/** The category of a stream: everything before the first hyphen. */
export function categoryOf(streamId: StreamId): string {
  const hyphen = streamId.indexOf('-')
  return hyphen === -1 ? streamId : streamId.slice(0, hyphen)
}

/** The aggregate id of a stream: everything after the first hyphen. */
export function aggregateIdOf(streamId: StreamId): string {
  return streamId.slice(streamId.indexOf('-') + 1)
}

function hasControl(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) < 32) return true
  return false
}

function describe(value: unknown): string {
  return typeof value === 'string'
    ? value.length > 60
      ? `${value.length} characters long`
      : JSON.stringify(value)
    : String(value)
}
