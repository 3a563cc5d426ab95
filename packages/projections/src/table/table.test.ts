import { expect, test } from 'vitest'
import { toRow } from './row.js'
import { column, table } from './table.js'

test('a declaration says all that is wrong with it', () => {
  const wrong = table('Wrong Name', {
    key: ['at', 'maybe'],
    columns: {
      at: 'timestamptz',
      maybe: 'text | null',
      orderId: 'text',
      order_id: 'text',
      odd: column<string>('varchar' as 'text'),
    },
  })
  expect(wrong.faults).toEqual([
    'The table name "Wrong Name" must be lower-case letters, digits and "_", 51 characters at the most.',
    'Column order_id of table Wrong Name and column orderId are both called order_id in the database.',
    expect.stringContaining('Column odd of table Wrong Name has the unknown type "varchar"'),
    'Key column at of table Wrong Name is timestamptz; a key is uuid, text, integer, bigint, date or boolean.',
    'Key column maybe of table Wrong Name may not be null.',
  ])
})

const people = table('people', { key: 'id', columns: { id: 'text', age: 'integer', tags: 'jsonb | null' } })

test('a row is checked, completed with nulls and frozen', () => {
  const row = toRow(people, { id: 'a', age: 4, extra: undefined }, undefined)
  expect(row).toEqual({ id: 'a', age: 4, tags: null })
  expect(() => Object.assign(row, { age: 5 })).toThrow(TypeError)
  expect(toRow(people, row, row)).toBe(row)
})

test('a row that does not fit is refused in a sentence', () => {
  expect(() => toRow(people, { id: 'a' }, undefined)).toThrow(
    'column age of table people must be a whole number of 32 bits, but is missing',
  )
  expect(() => toRow(people, { id: 'a', age: 1, height: 2 }, undefined)).toThrow(
    'a row with height, which table people does not have',
  )
  expect(() => toRow(people, Promise.resolve(), undefined)).toThrow(
    'it returned a promise instead of a row of table people',
  )
  expect(() => toRow(people, null, undefined)).toThrow('it returned null')
})
