// Moments of the past as people write them.
import type { Until } from '@narrative/core'
import { InvalidArgumentError } from 'commander'

const version = /^[1-9]\d{0,14}$/
const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/

/** Reads `3` or `2026-11-21T12:00:00Z`. */
export function parseAsOf(text: string): Until {
  if (version.test(text)) return { version: Number(text) }
  const asOf = parseInstant(text)
  if (asOf !== undefined) return { asOf }
  throw new InvalidArgumentError(
    'It must be a version (a whole number from 1) or an instant such as 2026-11-21T12:00:00Z.',
  )
}

/** An instant of ISO 8601 with its zone; a local time would mean something else on every machine. */
export function parseInstant(text: string): Date | undefined {
  const date = instant.test(text) ? new Date(text) : new Date(Number.NaN)
  return Number.isNaN(date.getTime()) ? undefined : date
}

/** A whole number from 1. */
export function parseCount(text: string): number {
  if (version.test(text)) return Number(text)
  throw new InvalidArgumentError('It must be a whole number from 1.')
}
