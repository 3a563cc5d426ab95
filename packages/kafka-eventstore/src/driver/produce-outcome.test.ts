import { expect, test } from 'vitest'
import { failedOutcome } from './produce-outcome.js'

const error = new Error('refused')

test('only these codes say that a batch is certainly not in the log', () => {
  const reasons: Record<string, number[]> = {}
  for (let code = -1; code <= 200; code++) {
    const outcome = failedOutcome(code, error)
    expect(outcome).toMatchObject({ error })
    const key = outcome.outcome === 'not-done' ? outcome.reason : outcome.outcome
    if (key !== 'unknown') reasons[key] = [...(reasons[key] ?? []), code]
  }
  expect(reasons).toEqual({
    fenced: [47, 90],
    'too-large': [10, 18],
    retry: [3, 19],
    refused: [2, 17, 21, 29, 31, 32, 35, 42, 43, 44, 53, 76, 87],
  })
})

test.each([
  ['NOT_LEADER_OR_FOLLOWER, which also comes after an append', 6],
  ['REQUEST_TIMED_OUT', 7],
  ['NOT_ENOUGH_REPLICAS_AFTER_APPEND', 20],
  ['OUT_OF_ORDER_SEQUENCE', 45],
  ['DUPLICATE_SEQUENCE', 46],
  ['KAFKA_STORAGE_ERROR', 56],
  ['UNKNOWN_PRODUCER_ID', 59],
])('%s is unknown', (_, code) => {
  expect(failedOutcome(code, error)).toEqual({ outcome: 'unknown', error })
})
