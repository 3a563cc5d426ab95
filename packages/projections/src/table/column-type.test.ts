import { expect, test } from 'vitest'
import { columnTypes, type SqlType } from './column-type.js'

const refused: [SqlType, unknown][] = [
  ['uuid', 'not-a-uuid'],
  ['text', 'zero\0'],
  ['text', '\ud800'],
  ['text', 5],
  ['integer', 2 ** 31],
  ['integer', 1.5],
  ['bigint', 2 ** 53],
  ['bigint', 1n],
  ['bigint', '1'],
  ['double precision', Number.NaN],
  ['numeric', 12.5],
  ['numeric', '1e5'],
  ['numeric', '.5'],
  ['boolean', 1],
  ['timestamptz', new Date(Number.NaN)],
  ['timestamptz', '2026-01-01'],
  ['date', '2026-02-30'],
  ['date', '26-02-03'],
  ['jsonb', undefined],
  ['jsonb', 1n],
  ['jsonb', { text: ['zero\0'] }],
  ['jsonb', () => 1],
]

test.each(refused)('%s refuses %o', (type, value) => {
  expect(columnTypes[type].normalise(value)).toBeUndefined()
})

test('values take the form that Postgres gives back', () => {
  expect(columnTypes.uuid.normalise('AAAAAAAA-0000-4000-8000-00000000000F')).toBe(
    'aaaaaaaa-0000-4000-8000-00000000000f',
  )
  expect(columnTypes.numeric.normalise('-0.00')).toBe('0.00')
  expect(Object.is(columnTypes.bigint.normalise(-0), 0)).toBe(true)
  expect(columnTypes.jsonb.normalise({ at: new Date(0), none: undefined, minus: -0 })).toEqual({
    at: '1970-01-01T00:00:00.000Z',
    minus: 0,
  })
})

test('json is compared by content and frozen through and through', () => {
  expect(columnTypes.jsonb.same({ a: [1, { b: null }], c: 'd' }, { c: 'd', a: [1, { b: null }] })).toBe(true)
  expect(columnTypes.jsonb.same({ a: 1 }, { a: 1, b: 2 })).toBe(false)
  expect(columnTypes.jsonb.same([1], { 0: 1 })).toBe(false)
  const value = columnTypes.jsonb.normalise({ list: [{ n: 1 }] }) as { list: { n: number }[] }
  expect(() => value.list.push({ n: 2 })).toThrow(TypeError)
})

test('decimals are ordered as numbers', () => {
  const sorted = ['-10', '-9.5', '-0.01', '0', '0.009', '0.01', '9', '10', '10.000000000000000001']
  expect([...sorted].reverse().sort(columnTypes.numeric.compare)).toEqual(sorted)
})
