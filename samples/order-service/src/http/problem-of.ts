// Every error there is, and the problem it becomes. Statuses live here alone: neither domain nor framework knows HTTP.
import { type ErrorCode, isDomainError, isNarrativeError, type NarrativeError, type Violation } from '@narrative/core'
import { Problem } from './problem.js'

/** Domain refusals are conflicts, but for these. */
const domainStatus: Readonly<Record<string, number>> = { 'order.unknown': 404 }

/** Framework errors the caller can do something about. Others are 503 when trying again may help, else 500. */
const frameworkStatus: Partial<Record<ErrorCode, number>> = {
  COMMAND_INVALID: 400,
  POSITION_INVALID: 400,
  STREAM_ID_INVALID: 400,
  APPEND_TOO_LARGE: 413,
  COMMAND_EXPIRED: 503,
  COMMAND_ABORTED: 503,
  PROJECTION_STOPPED: 503,
  STORE_CLOSED: 503,
}

/** What fastify finds wrong with a request before any route sees it. */
const requestProblems: Readonly<Record<string, readonly [status: number, code: string, detail: string]>> = {
  FST_ERR_CTP_INVALID_JSON_BODY: [400, 'http.malformed-json', 'The body is not well-formed JSON.'],
  FST_ERR_CTP_EMPTY_JSON_BODY: [400, 'http.malformed-json', 'The body is empty; a JSON object is needed.'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: [400, 'http.malformed-body', 'The body is not as long as Content-Length says.'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [415, 'http.unsupported-media-type', 'The body must be application/json.'],
  FST_ERR_CTP_BODY_TOO_LARGE: [413, 'http.body-too-large', 'The body is larger than 1 MiB.'],
  FST_ERR_BAD_URL: [400, 'http.malformed-url', 'The path of the URL is not well-formed.'],
  FST_ERR_MAX_PARAM_LENGTH: [414, 'http.url-too-long', 'A part of the path is too long to be the id of anything.'],
}

/** The problem an error becomes; one it has no name for is a 500 that keeps its reasons to the log. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error
  if (isDomainError(error)) return new Problem(domainStatus[error.code] ?? 409, error.code, error.message)
  if (isNarrativeError(error)) return problemOfFramework(error)

  const { code, statusCode } = (error ?? {}) as { code?: unknown; statusCode?: unknown }
  const known = typeof code === 'string' ? requestProblems[code] : undefined
  if (known !== undefined) return new Problem(...known)
  if (isConnectionFailure(error))
    return unavailable('http.database-unreachable', 'The database cannot be reached right now.')
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500) {
    return new Problem(statusCode, 'http.bad-request', (error as Error).message)
  }
  return internal('http.internal-error')
}

function problemOfFramework(error: NarrativeError): Problem {
  const status = frameworkStatus[error.code] ?? (error.retryable ? 503 : 500)
  if (status === 503) return unavailable(error.code, error.message)
  if (status === 500) return internal(error.code)
  const violations = (error.details as { violations?: readonly Violation[] }).violations?.map(({ path, message }) => ({
    path,
    message,
  }))
  return new Problem(status, error.code, error.message, violations === undefined ? {} : { violations })
}

function internal(code: string): Problem {
  const detail = 'Something went wrong on our side. The log has it under the correlation id of this answer.'
  return new Problem(500, code, detail)
}

function unavailable(code: string, detail: string): Problem {
  return new Problem(503, code, detail, {}, { 'retry-after': '1' })
}

/** A system error of a socket, or Postgres refusing connections (SQLSTATE classes 08, 53 and 57P). */
function isConnectionFailure(error: unknown): boolean {
  const { code } = (error ?? {}) as { code?: unknown }
  return typeof code === 'string' && /^(ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|08|53|57P)/.test(code)
}
