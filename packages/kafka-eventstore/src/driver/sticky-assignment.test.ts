// What holds for every assignment, whoever joins and leaves.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Assignment, assignSticky, type GroupCandidate, type SharedTopic } from './sticky-assignment.js'

const names = ['account', 'order', 'stock']
const topicsOf = (counts: readonly number[]): SharedTopic[] =>
  counts.map((partitions, index) => ({ name: names[index]!, partitions }))

/** A group through several generations: who is in it each time. */
const histories = fc.record({
  counts: fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 3 }),
  rounds: fc.array(fc.uniqueArray(fc.integer({ min: 0, max: 8 }), { minLength: 1, maxLength: 6 }), {
    minLength: 1,
    maxLength: 6,
  }),
})

const none: Assignment = {}
const size = (assignment: Assignment) => Math.max(0, ...Object.values(assignment).map((numbers) => numbers.length))

function play(counts: readonly number[], rounds: readonly (readonly number[])[]) {
  const topics = topicsOf(counts)
  let before: ReadonlyMap<string, Assignment> = new Map()
  return rounds.map((ids, generation) => {
    const members = ids.map((id): GroupCandidate => {
      const owned = before.get(String(id)) ?? none
      return { id: String(id), topics: topics.map(({ name }) => name), owned, generation }
    })
    const earlier = before
    before = assignSticky(topics, members)
    return { members, earlier, now: before }
  })
}

test('every partition has exactly one owner', () => {
  fc.assert(
    fc.property(histories, ({ counts, rounds }) => {
      for (const { now } of play(counts, rounds)) {
        for (const { name, partitions } of topicsOf(counts)) {
          const all = [...now.values()].flatMap((assignment) => assignment[name] ?? [])
          expect(all.sort((a, b) => a - b)).toEqual(Array.from({ length: partitions }, (_, number) => number))
        }
      }
    }),
  )
})

test('no two members differ by more than one', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 24 }), histories, (count, { rounds }) => {
      for (const { now } of play([count], rounds)) {
        const sizes = [...now.values()].map(size)
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
      }
    }),
  )
})

test('partition n of every topic is at the same member', () => {
  fc.assert(
    fc.property(histories, ({ counts, rounds }) => {
      for (const { now } of play(counts, rounds)) {
        const at = new Map<number, Set<string>>()
        for (const [id, assignment] of now) {
          for (const number of Object.values(assignment).flat()) at.set(number, (at.get(number) ?? new Set()).add(id))
        }
        for (const ids of at.values()) expect(ids.size).toBe(1)
      }
    }),
  )
})

test('who was there keeps what it had, up to its share', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 24 }), histories, (count, { rounds }) => {
      for (const { members, earlier, now } of play([count], rounds)) {
        const least = Math.floor(count / members.length)
        for (const { id } of members) {
          const had = earlier.get(id)?.account ?? []
          const kept = had.filter((number) => now.get(id)?.account?.includes(number))
          expect(kept.length).toBeGreaterThanOrEqual(Math.min(had.length, least))
        }
      }
    }),
  )
})

test('nothing moves when nothing changed, in whatever order the members are listed', () => {
  fc.assert(
    fc.property(histories, ({ counts, rounds }) => {
      const last = play(counts, rounds).at(-1)!
      const again = last.members.map((member) => ({ ...member, owned: last.now.get(member.id) ?? none }))
      const topics = topicsOf(counts)
      const sorted = (map: ReadonlyMap<string, Assignment>) => Object.fromEntries([...map].sort())
      expect(sorted(assignSticky(topics, again.reverse()))).toEqual(sorted(last.now))
    }),
  )
})

test('of two members that claim the same partitions, the one with the newer generation keeps them', () => {
  const [order] = topicsOf([4])
  const owned = { account: [0, 1] }
  const zombie = { id: 'a', topics: ['account'], owned, generation: 3 }
  const owner = { id: 'b', topics: ['account'], owned, generation: 7 }
  expect(assignSticky([order!], [zombie, owner]).get('b')).toEqual(owned)
})

test('a topic that only some subscribe to is shared among those', () => {
  const topics = topicsOf([4, 4])
  const old = { id: 'a', topics: ['account'], owned: { account: [0, 1, 2, 3] }, generation: 1 }
  const next = { id: 'b', topics: ['account', 'order'], owned: {}, generation: -1 }
  const shares = assignSticky(topics, [old, next])
  expect(shares.get('b')!.order).toEqual([0, 1, 2, 3])
  expect(shares.get('a')!.account).toHaveLength(2)
})

test('the share that is one larger goes to whoever has more already: nothing moves for the sake of a name', () => {
  const member = (id: string, account: number[]) => ({ id, topics: ['account'], owned: { account }, generation: 1 })
  const shares = assignSticky(topicsOf([3]), [member('a', [0]), member('b', [1, 2])])
  expect(Object.fromEntries(shares)).toEqual({ a: { account: [0] }, b: { account: [1, 2] } })
})
