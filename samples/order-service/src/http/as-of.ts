// ?asOf=: a version or an instant of the past.
import type { Until } from '@narrative/core'
import { badRequest } from './problem.js'

const version = /^[1-9]\d{0,14}$/
const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/

/** Reads `3` or `2026-11-21T12:00:00Z`. */
export function parseAsOf(text: unknown): Until {
  if (typeof text === 'string') {
    if (version.test(text)) return { version: Number(text) }
    // In a query string an unescaped plus sign arrives as a space.
    const iso = text.replace(' ', '+')
    const asOf = instant.test(iso) ? new Date(iso) : new Date(Number.NaN)
    if (!Number.isNaN(asOf.getTime())) return { asOf }
  }
  throw badRequest(
    'http.malformed-query',
    'asOf',
    'must be a version (a whole number from 1) or an ISO 8601 instant such as 2026-11-21T12:00:00Z',
  )
}
