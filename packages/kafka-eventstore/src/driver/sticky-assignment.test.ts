// What holds for every assignment, whoever joins and leaves.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  type Assignment,
  assignSticky,
  type GroupCandidate,
  type Share,
  type SharedTopic,
} from './sticky-assignment.js'

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
  standbys: fc.integer({ min: 0, max: 3 }),
})

const none: Assignment = {}
const numbersOf = (assignment: Assignment) => [...new Set(Object.values(assignment).flat())]
const size = (assignment: Assignment) => numbersOf(assignment).length
const union = (one: Assignment, other: Assignment): Assignment =>
  Object.fromEntries(names.map((name) => [name, [...new Set([...(one[name] ?? []), ...(other[name] ?? [])])]]))

type Shares = ReadonlyMap<string, Share>

/**
 * Each change of members takes two rounds: `first` is right after it, with newcomers that have nothing, `now` when all
 * that was to be followed is warm.
 */
function play(counts: readonly number[], rounds: readonly (readonly number[])[], standbys = 0) {
  const topics = topicsOf(counts)
  let before: Shares = new Map()
  let generation = 0
  const round = (ids: readonly number[]) => {
    const members = ids.map((number): GroupCandidate => {
      const id = String(number)
      const { owned = none, promised = none, followed = none } = before.get(id) ?? {}
      return { id, topics: topics.map(({ name }) => name), owned, promised, generation, warm: union(owned, followed) }
    })
    generation++
    const shares = assignSticky(topics, members, standbys)
    before = shares
    return { members, shares }
  }
  return rounds.map((ids) => {
    const earlier = before
    const first = round(ids)
    const second = round(ids)
    return { members: first.members, earlier, first: first.shares, settling: second.members, now: second.shares }
  })
}

/** Whose a number is. */
const ownerOf = (shares: Shares, number: number) =>
  [...shares].find(([, { owned }]) => numbersOf(owned).includes(number))?.[0]

test('every partition has exactly one owner', () => {
  fc.assert(
    fc.property(histories, ({ counts, rounds, standbys }) => {
      for (const { first, now } of play(counts, rounds, standbys)) {
        for (const { name, partitions } of topicsOf(counts)) {
          for (const shares of [first, now]) {
            const all = [...shares.values()].flatMap(({ owned }) => owned[name] ?? [])
            expect(all.sort((a, b) => a - b)).toEqual(Array.from({ length: partitions }, (_, number) => number))
          }
        }
      }
    }),
  )
})

test('no two members differ by more than one, as soon as what was promised is warm', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 24 }), histories, (count, { rounds, standbys }) => {
      for (const { now } of play([count], rounds, standbys)) {
        const sizes = [...now.values()].map(({ owned }) => size(owned))
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
        for (const { promised } of now.values()) expect(promised).toEqual({})
      }
    }),
  )
})

test('what is served passes only to a member that is warm for it', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 24 }), histories, (count, { rounds, standbys }) => {
      for (const { members, first } of play([count], rounds, standbys)) {
        for (const { id, owned } of members) {
          for (const number of owned.account ?? []) {
            const owner = ownerOf(first, number)!
            const { warm = none } = members.find((member) => member.id === owner)!
            if (owner !== id) expect(warm.account).toContain(number)
          }
        }
      }
    }),
  )
})

test('what is free goes to a member that is warm for it, unless all of those have their share', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 24 }), histories, (count, { rounds, standbys }) => {
      for (const { members, first } of play([count], rounds, standbys)) {
        const most = Math.ceil(count / members.length)
        for (let number = 0; number < count; number++) {
          if (members.some(({ owned }) => owned.account?.includes(number))) continue
          const owner = ownerOf(first, number)!
          const warm = members.filter((member) => member.warm?.account?.includes(number)).map(({ id }) => id)
          if (warm.length === 0 || warm.includes(owner)) continue
          for (const id of warm)
            expect(size(union(first.get(id)!.owned, first.get(id)!.promised))).toBeGreaterThanOrEqual(most - 1)
        }
      }
    }),
  )
})

test('each partition has the standbys it should have, and its owner is none of them', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 24 }), histories, (count, { rounds, standbys }) => {
      for (const { members, first, now } of play([count], rounds, standbys)) {
        for (let number = 0; number < count; number++) {
          for (const shares of [first, now]) {
            const followers = [...shares].filter(([, { followed }]) => followed.account?.includes(number))
            expect(followers.map(([id]) => id)).not.toContain(ownerOf(shares, number))
            expect(followers.length).toBeGreaterThanOrEqual(Math.min(standbys, members.length - 1))
            if (shares === now) expect(followers).toHaveLength(Math.min(standbys, members.length - 1))
          }
        }
      }
    }),
  )
})

test('standbys are spread: no member follows many more than its part', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 24 }), histories, (count, { rounds, standbys }) => {
      for (const { members, now } of play([count], rounds, standbys)) {
        const fair = Math.ceil((count * Math.min(standbys, members.length - 1)) / members.length)
        for (const { followed } of now.values()) expect(size(followed)).toBeLessThanOrEqual(fair + 1)
      }
    }),
  )
})

test('partition n of every topic is at the same member', () => {
  fc.assert(
    fc.property(histories, ({ counts, rounds }) => {
      for (const { now } of play(counts, rounds)) {
        const at = new Map<number, Set<string>>()
        for (const [id, { owned }] of now) {
          for (const number of Object.values(owned).flat()) at.set(number, (at.get(number) ?? new Set()).add(id))
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
          const had = earlier.get(id)?.owned.account ?? []
          const kept = had.filter((number) => now.get(id)?.owned.account?.includes(number))
          expect(kept.length).toBeGreaterThanOrEqual(Math.min(had.length, least))
        }
      }
    }),
  )
})

test('nothing moves when nothing changed, in whatever order the members are listed', () => {
  fc.assert(
    fc.property(histories, ({ counts, rounds, standbys }) => {
      const { now, settling } = play(counts, rounds, standbys).at(-1)!
      const again = settling.map((member) => {
        const { owned, promised, followed } = now.get(member.id)!
        return { ...member, owned, promised, warm: union(owned, followed) }
      })
      const topics = topicsOf(counts)
      const sorted = (map: Shares) => Object.fromEntries([...map].sort())
      expect(sorted(assignSticky(topics, again.reverse(), standbys))).toEqual(sorted(now))
    }),
  )
})

test('of two members that claim the same partitions, the one with the newer generation keeps them', () => {
  const [order] = topicsOf([4])
  const owned = { account: [0, 1] }
  const zombie = { id: 'a', topics: ['account'], owned, generation: 3 }
  const owner = { id: 'b', topics: ['account'], owned, generation: 7 }
  expect(assignSticky([order!], [zombie, owner]).get('b')!.owned).toEqual(owned)
})

test('a topic that only some subscribe to is shared among those', () => {
  const topics = topicsOf([4, 4])
  const old = { id: 'a', topics: ['account'], owned: { account: [0, 1, 2, 3] }, generation: 1 }
  const next = { id: 'b', topics: ['account', 'order'], owned: {}, generation: -1 }
  const shares = assignSticky(topics, [old, next])
  expect(shares.get('b')!.owned.order).toEqual([0, 1, 2, 3])
  expect(shares.get('a')!.owned.account).toHaveLength(2)
})

test('the share that is one larger goes to whoever has more already: nothing moves for the sake of a name', () => {
  const member = (id: string, account: number[]) => ({ id, topics: ['account'], owned: { account }, generation: 1 })
  const shares = assignSticky(topicsOf([3]), [member('a', [0]), member('b', [1, 2])])
  expect([shares.get('a')!.owned, shares.get('b')!.owned]).toEqual([{ account: [0] }, { account: [1, 2] }])
})

test('a newcomer follows first, and owns when it is warm; who dies is followed by who had its copy', () => {
  const topics = topicsOf([4])
  const has = (id: string, owned: number[], warm: number[]): GroupCandidate => {
    return { id, topics: ['account'], owned: { account: owned }, generation: 1, warm: { account: warm } }
  }
  const all = [0, 1, 2, 3]
  const joined = assignSticky(topics, [has('a', all, all), has('b', [], [])])
  expect(joined.get('a')!.owned).toEqual({ account: all })
  expect(joined.get('b')).toEqual({ owned: {}, followed: { account: [2, 3] }, promised: { account: [2, 3] } })
  const warm = assignSticky(topics, [has('a', all, all), has('b', [], [2, 3])])
  expect(warm.get('a')).toEqual({ owned: { account: [0, 1] }, followed: {}, promised: {} })
  expect(warm.get('b')).toEqual({ owned: { account: [2, 3] }, followed: {}, promised: {} })
  // Who owns it does not serve it yet either: then there is nothing to spare.
  expect(assignSticky(topics, [has('a', all, []), has('b', [], [])]).get('b')!.owned).toEqual({ account: [2, 3] })
  // a is gone; c has copies of what was its, b has not.
  const taken = assignSticky(topics, [has('b', [2], [2]), has('c', [3], [3, 0, 1])])
  expect(taken.get('c')!.owned.account).toHaveLength(2)
  expect(taken.get('b')!.owned.account).toHaveLength(2)
  // With room for one each, the larger share goes where the copies are.
  const three = assignSticky(topicsOf([3]), [has('b', [2], [2]), has('c', [1], [1, 0])])
  expect(three.get('c')!.owned).toEqual({ account: [0, 1] })
})

test('who is unfit gets nothing, and what it had goes to the others at once; unless all are unfit', () => {
  const topics = topicsOf([4])
  const member = (id: string, unfit: boolean, account: number[]): GroupCandidate => {
    return { id, topics: ['account'], owned: { account }, warm: { account }, generation: 1, unfit }
  }
  const shares = assignSticky(topics, [member('a', true, [0, 1]), member('b', false, [2, 3])], 1)
  expect(shares.get('a')).toEqual({ owned: {}, followed: {}, promised: {} })
  expect(shares.get('b')!.owned).toEqual({ account: [0, 1, 2, 3] })
  const none = assignSticky(topics, [member('a', true, [0, 1]), member('b', true, [2, 3])])
  expect([none.get('a')!.owned, none.get('b')!.owned]).toEqual([{ account: [0, 1] }, { account: [2, 3] }])
})
