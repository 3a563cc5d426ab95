// The checker itself is proven: correct cases pass, and each way to spoil one is noticed by the rule it breaks.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Random } from '../random.js'
import { checkHistory, rules } from './check-history.js'
import { correctCase } from './correct-case.test-support.js'
import { mutations } from './mutations.test-support.js'

test('a correct case breaks no rule', () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      expect(checkHistory(correctCase(seed)).violations).toEqual([])
    }),
    { numRuns: 300 },
  )
})

test.each(mutations.map((mutation) => [mutation.name, mutation] as const))('noticed: %s', (_, { rule, spoil }) => {
  let spoiled = 0
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const given = correctCase(seed)
      fc.pre(spoil(given, new Random(seed)))
      spoiled++
      expect(checkHistory(given).violations.map((violation) => violation.rule)).toContain(rule)
    }),
    { numRuns: 60 },
  )
  expect(spoiled).toBeGreaterThan(20)
})

test('every rule has something that breaks it', () => {
  expect(new Set(mutations.map(({ rule }) => rule))).toEqual(new Set(rules.map(({ name }) => name)))
})

test('a violation names the promise and shows what breaks it', () => {
  const given = correctCase(7)
  mutations[0]!.spoil(given, new Random(7))
  const [violation] = checkHistory(given).violations.filter(({ rule }) => rule === 'not-lost')
  expect(violation).toMatchObject({
    promise: 'every acknowledged append is in the log',
    says: expect.stringMatching(/was acknowledged to order-\d and is not there/),
    shown: [expect.objectContaining({ kind: 'append' })],
  })
})
