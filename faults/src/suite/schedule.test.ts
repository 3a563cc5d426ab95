import { expect, test } from 'vitest'
import { Random } from '../random.js'
import { schedule } from './schedule.js'

const names = ['a', 'b', 'c', 'd', 'e', 'slow']
const slow = new Set(['slow'])

function first(count: number, seed: number, alone = () => true): (readonly string[])[] {
  const strikes = schedule(names, slow, new Random(seed), alone)
  return Array.from({ length: count }, () => strikes.next().value as readonly string[])
}

test('each fault comes once alone, then all come in pairs, the slow ones more seldom', () => {
  const strikes = first(names.length + 21, 1) // two bags
  expect(strikes.slice(0, names.length).flat().toSorted()).toEqual(names)
  const pairs = strikes.slice(names.length)
  expect(pairs.every((pair) => pair.length === 2)).toBe(true)
  const times = (name: string) => pairs.flat().filter((other) => other === name).length
  for (const name of ['a', 'b', 'c', 'd', 'e']) expect(times(name)).toBe(4 * times('slow'))
})

test('the seed decides the order', () => {
  expect(first(30, 7)).toEqual(first(30, 7))
  expect(first(30, 7)).not.toEqual(first(30, 8))
})

test('when there is no more time for single faults, pairs begin', () => {
  let left = 3
  expect(first(5, 1, () => left-- > 0).map((strike) => strike.length)).toEqual([1, 1, 1, 2, 2])
})
