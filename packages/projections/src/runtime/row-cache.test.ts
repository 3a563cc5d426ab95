import { expect, test } from 'vitest'
import { RowCache } from './row-cache.js'

const mb = 2 ** 20
const known = (cache: RowCache, keys: number) =>
  Array.from({ length: keys }, (_, key) => key).filter((key) => cache.has(key))

test('what it keeps is bounded by what it weighs, however wide the rows are', () => {
  const narrow = new RowCache(mb, false)
  const wide = new RowCache(mb, false)
  const json = new RowCache(mb, false)
  for (let key = 0; key < 20_000; key++) {
    narrow.set(key, { key, text: 'short' })
    wide.set(key, { key, text: 'x'.repeat(10_000) })
    json.set(key, { key, list: ['x'.repeat(5_000)] })
  }
  expect(known(narrow, 20_000).length).toBeGreaterThan(2_000)
  expect(known(wide, 20_000).length).toBeLessThan(110)
  expect(known(json, 20_000).length).toBeLessThan(80)
  // The latest half at the least is there.
  expect(wide.has(19_999) && wide.has(19_960)).toBe(true)
})

test('rows that are used stay, and an empty table is known whole until rows have to leave', () => {
  const cache = new RowCache(10_000, true)
  cache.set('used', { n: 1 })
  expect(cache.has('never written')).toBe(true)
  for (let key = 0; key < 1_000; key++) {
    cache.set(key, { n: key })
    expect(cache.get('used')).toEqual({ n: 1 })
  }
  expect(cache.has('never written')).toBe(false)
  expect(cache.has(0)).toBe(false)
})
