import { DomainError, type ErrorCode, errorCodes, NarrativeError } from '@narrative/core'
import { expect, test } from 'vitest'
import { problemOf } from './problem-of.js'

const framework = (code: ErrorCode) => problemOf(new NarrativeError(code, { message: 'Details of the inside.' }))

test('whatever may succeed later is 503 and says when to try again', () => {
  const retryable = (Object.keys(errorCodes) as ErrorCode[]).filter((code) => errorCodes[code].retryable)
  expect(retryable).toContain('OUTCOME_UNKNOWN')
  for (const code of retryable) {
    expect(framework(code)).toMatchObject({ status: 503, code, headers: { 'retry-after': '1' } })
  }
})

test('what the caller did wrong is 4xx, and a service that cannot serve is 503', () => {
  expect(framework('COMMAND_INVALID').status).toBe(400)
  expect(framework('POSITION_INVALID').status).toBe(400)
  expect(framework('APPEND_TOO_LARGE').status).toBe(413)
  expect(framework('PROJECTION_STOPPED').status).toBe(503)
  expect(framework('STORE_CLOSED').status).toBe(503)
})

test('a database that cannot be reached is 503', () => {
  for (const code of ['ECONNREFUSED', '57P01', '08006', '53300']) {
    expect(problemOf(Object.assign(new Error('secret'), { code }))).toMatchObject({
      status: 503,
      headers: { 'retry-after': '1' },
    })
  }
})

test('the domain says no with 409, unless it says there is nothing', () => {
  expect(problemOf(new DomainError('order.already-cancelled', 'Too late.')).toJSON()).toEqual({
    type: 'urn:order-service:problem:order.already-cancelled',
    title: 'Order already cancelled',
    status: 409,
    detail: 'Too late.',
    code: 'order.already-cancelled',
  })
  expect(problemOf(new DomainError('order.unknown', 'No.')).status).toBe(404)
})

test.each([new Error('a secret'), 'a secret', undefined, null, { code: '23505', message: 'a secret' }])(
  'anything else keeps its reasons to the log',
  (error) => {
    const problem = problemOf(error)
    expect(problem.status).toBe(500)
    expect(JSON.stringify(problem)).not.toContain('secret')
  },
)
test('an event that cannot be read says nothing of the inside', () => {
  expect(JSON.stringify(framework('EVENT_UNDECODABLE'))).not.toContain('inside')
})
