// Which conditions a table takes, what they are called, and which rows meet them.
import { expect, test } from 'vitest'
import { Conditions, readCondition, toCondition } from './condition.js'
import { table } from './table.js'

const seats = table('seats', {
  key: ['hall', 'seat'],
  columns: { hall: 'integer', seat: 'text', owner: 'text | null', since: 'date', price: 'numeric' },
  indexes: ['owner', ['since', 'hall'], 'price'],
})

test('the columns of an index, or the first ones of it or of the key, in any order', () => {
  for (const columns of [{ hall: 1 }, { seat: 'a', hall: 1 }, { owner: 'ada' }, { since: '2026-01-01' }]) {
    const condition = toCondition(seats, columns)
    expect(Object.fromEntries(condition.columns.map(({ property }, i) => [property, condition.values[i]]))).toEqual(
      columns,
    )
    expect(readCondition([seats], condition.text)).toEqual(condition)
  }
  const [one, other] = [
    toCondition(seats, { hall: 1, since: '2026-01-01' }),
    toCondition(seats, { since: '2026-01-01', hall: 1 }),
  ]
  expect(one).toEqual(other)
  expect(one.text).toBe('seats where {"since":"2026-01-01","hall":1}')
  expect(readCondition([seats], 'seats/[1,"a"]')).toBeUndefined()
  expect(readCondition([seats], 'other where {"hall":1}')).toBeUndefined()
})

test.each([
  [{ seat: 'a' }, "it asks for rows of table seats by seat, for which it has no index: declare indexes: ['seat']"],
  [
    { owner: 'ada', hall: 1 },
    "it asks for rows of table seats by owner and hall, for which it has no index: declare indexes: [['owner', 'hall']]",
  ],
  [{ color: 'red' }, "it asks for rows of table seats by color, for which it has no index: declare indexes: ['color']"],
  [{}, 'it asks for rows of table seats where nothing is said: name a column, as in where({ hall: … })'],
  [{ owner: null }, 'it asks for rows of table seats where owner is null'],
  [{ hall: '1' }, 'column hall of table seats must be a whole number of 32 bits, but is "1"'],
  [
    { price: '1.0' },
    'it asks for rows of table seats by price, which is numeric; a condition is on uuid, text, integer, bigint, date or boolean',
  ],
])('%j is refused', (columns, message) => {
  expect(() => toCondition(seats, columns)).toThrow(message)
})

test('a row meets conditions of several shapes, and none of another table', () => {
  const row = { hall: 1, seat: 'a', owner: 'ada', since: '2026-01-01', price: '1' }
  const conditions = new Conditions(
    [
      { hall: 1 },
      { hall: 2 },
      { owner: 'ada' },
      { since: '2026-01-01', hall: 1 },
      { since: '2026-01-01', hall: 2 },
    ].map((columns) => toCondition(seats, columns)),
  )
  expect(conditions.met(seats, row)).toEqual([
    'seats where {"hall":1}',
    'seats where {"owner":"ada"}',
    'seats where {"since":"2026-01-01","hall":1}',
  ])
  expect(conditions.met(table('other', { key: 'hall', columns: { hall: 'integer' } }), row)).toEqual([])
  expect(conditions.lookups.map(({ values }) => values)).toEqual([
    [[1], [2]],
    [['ada']],
    [
      ['2026-01-01', 1],
      ['2026-01-01', 2],
    ],
  ])
})
