// Tables and colours: what a terminal gets, and what a file gets.
import { expect, test } from 'vitest'
import { tableLines } from './columns.js'
import { paletteOf } from './paint.js'
import { plainState } from './plain-state.js'

const columns = [
  { heading: 'N', align: 'right' as const, text: ({ n }: { n: number }) => String(n) },
  { heading: 'DATA', text: ({ n }: { n: number }) => 'x'.repeat(n), paint: (text: string) => `<${text}>` },
]
const heading = (text: string) => text

test('columns are as wide as what they hold', () => {
  const lines = tableLines(columns, [{ n: 1 }, { n: 12 }], { heading, width: undefined })
  expect(lines).toEqual([' N  DATA', ' 1  <x>', `12  <${'x'.repeat(12)}>`])
})

test('a terminal cuts the last column at its edge, a file does not', () => {
  const [, line] = tableLines(columns, [{ n: 50 }], { heading, width: 34 })
  expect(line).toBe(`50  <${'x'.repeat(29)}…>`)
  expect(tableLines(columns, [{ n: 50 }], { heading, width: undefined })[1]).toHaveLength(56)
})

test('colour needs a terminal that has colours; hasColors knows NO_COLOR', () => {
  expect(paletteOf({ isTTY: true, hasColors: () => true }).red('a')).toBe('\u001b[31ma\u001b[39m')
  expect(paletteOf({ isTTY: true, hasColors: () => false }).red('a')).toBe('a')
  expect(paletteOf({ isTTY: false, hasColors: () => true }).red('a')).toBe('a')
})

test('a state is JSON whatever it holds', () => {
  const state = { big: 12n, map: new Map([['a', new Set([1])]]), pairs: new Map([[1, 2]]), at: new Date(0), none: null }
  expect(JSON.parse(JSON.stringify(plainState(state)))).toEqual({
    big: '12',
    map: { a: [1] },
    pairs: [[1, 2]],
    at: '1970-01-01T00:00:00.000Z',
    none: null,
  })
})
