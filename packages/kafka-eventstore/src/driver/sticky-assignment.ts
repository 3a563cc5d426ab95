// Who gets what in a group: balanced, sticky, and partition n of every topic at the same member.
//
// kafkajs has no sticky assigner, and neither the ones of Java nor its round robin keep partitions of several topics
// together. The unit that is handed out is therefore a number: partition n of all topics that the same members share.
//
// A partition is out of service while its new owner reads it. So, as in Kafka Streams (KIP-441), one that is served is
// handed over only to a member that has a copy of it; who is to have it next follows it until then.
import { chooseStandbys } from './standby-assignment.js'

/** A topic and how many partitions it has. */
export interface SharedTopic {
  readonly name: string
  readonly partitions: number
}

/** What a member brought to the rebalance. */
export interface GroupCandidate {
  readonly id: string
  readonly topics: readonly string[]
  /** What it had before. */
  readonly owned: Assignment
  /** What it was to have next. */
  readonly promised?: Assignment
  /** The generation in which it got that: the newest of two contradictory members is right. */
  readonly generation: number
  /** What it could serve at once: it serves it already, or has read nearly all of it. */
  readonly warm?: Assignment
  /** It can own nothing at the moment. */
  readonly unfit?: boolean
}

/** Partitions by topic. */
export type Assignment = Readonly<Record<string, readonly number[]>>

/** What a member is told. */
export interface Share {
  readonly owned: Assignment
  /** What it is to keep a copy of. */
  readonly followed: Assignment
  /** What of that becomes its own as soon as it is warm. */
  readonly promised: Assignment
}

/**
 * Shares the partitions of topics among the members that subscribe to them.
 *
 * Among members with the same topics, no two differ by more than one number, once what is promised is warm; a member
 * keeps what it had, up to its share; what is free goes to a member that is warm for it, if one has room. Who is unfit
 * gets nothing, unless all are. The answer depends on its input alone, not on the order of the members.
 * @param standbys how many members follow each number beside its owner
 */
export function assignSticky(
  topics: readonly SharedTopic[],
  members: readonly GroupCandidate[],
  standbys = 0,
): ReadonlyMap<string, Share> {
  const none = () => ({ owned: {}, followed: {}, promised: {} }) as Record<keyof Share, Record<string, number[]>>
  const shares = new Map(members.map(({ id }) => [id, none()]))
  for (const { names, subscribers, count } of classesOf(topics, members)) {
    const give = (what: keyof Share, number: number, id: string) => {
      const share = shares.get(id)![what]
      for (const { name, partitions } of names) if (number < partitions) share[name] = [...(share[name] ?? []), number]
    }
    const held = holders(names, count, subscribers, ({ owned }) => owned)
    const warm = warmMembers(names, count, subscribers)
    const newest = Math.max(...subscribers.map(({ generation }) => generation))
    const lastRound = subscribers.filter(({ generation }) => generation === newest)
    const intended = new Map([...held, ...holders(names, count, lastRound, ({ promised = {} }) => promised)])
    const next = shareNumbers(count, subscribers, intended, warm)
    const owners = next.map((id, number) => {
      const holder = held.get(number)
      const wouldPause = holder !== undefined && warm[number]!.has(holder) && !warm[number]!.has(id)
      return wouldPause ? holder : id
    })
    const ids = subscribers.map(({ id }) => id).sort()
    const followers = chooseStandbys({ ids, owners, next, standbys, warm })
    for (let number = 0; number < count; number++) {
      give('owned', number, owners[number]!)
      for (const id of followers[number]!) give('followed', number, id)
      if (next[number] !== owners[number]) give('promised', number, next[number]!)
    }
  }
  return shares
}

/** Topics that the same members subscribe to: in a running service one class, while a new version rolls out two. */
function classesOf(topics: readonly SharedTopic[], members: readonly GroupCandidate[]) {
  const byKey = new Map<string, { names: SharedTopic[]; subscribers: GroupCandidate[]; count: number }>()
  for (const topic of topics) {
    const willing = members.filter((member) => member.topics.includes(topic.name))
    if (willing.length === 0) continue
    const fit = willing.filter(({ unfit }) => unfit !== true)
    const subscribers = fit.length === 0 ? willing : fit
    const key = JSON.stringify(subscribers.map(({ id }) => id).sort())
    const found = byKey.get(key) ?? { names: [], subscribers, count: 0 }
    found.names.push(topic)
    found.count = Math.max(found.count, topic.partitions)
    byKey.set(key, found)
  }
  return byKey.values()
}

/** Who is to have each number: balanced, and as it was as far as that allows. */
function shareNumbers(
  count: number,
  members: readonly GroupCandidate[],
  before: ReadonlyMap<number, string>,
  warm: readonly ReadonlySet<string>[],
): string[] {
  const held = new Map<string, number[]>(members.map(({ id }) => [id, []]))
  for (const [number, id] of before) held.get(id)!.push(number)
  const waiting = new Map(members.map(({ id }) => [id, 0]))
  for (let number = 0; number < count; number++) {
    if (before.has(number)) continue
    for (const id of warm[number]!) waiting.set(id, waiting.get(id)! + 1)
  }
  // Those that held most, or are warm for most of what is free, get the shares that are one larger: the fewest move.
  const order = [...held.keys()].sort(
    (a, b) => held.get(b)!.length - held.get(a)!.length || waiting.get(b)! - waiting.get(a)! || (a < b ? -1 : 1),
  )
  const least = Math.floor(count / order.length)
  const larger = count % order.length
  const result: string[] = new Array(count)
  const room = new Map<string, number>()
  order.forEach((id, index) => {
    const share = least + (index < larger ? 1 : 0)
    // Given up is rather what others are warm for.
    const others = (number: number) => warm[number]!.size - (warm[number]!.has(id) ? 1 : 0)
    const kept = held
      .get(id)!
      .sort((a, b) => others(a) - others(b) || a - b)
      .slice(0, share)
    for (const number of kept) result[number] = id
    room.set(id, share - kept.length)
  })
  const free = Array.from({ length: count }, (_, number) => number).filter((number) => result[number] === undefined)
  const take = (number: number, candidates: readonly string[]) => {
    const [id] = candidates.filter((each) => room.get(each)! > 0).sort((a, b) => room.get(b)! - room.get(a)!)
    if (id === undefined) return
    result[number] = id
    room.set(id, room.get(id)! - 1)
  }
  for (const number of free)
    take(
      number,
      order.filter((id) => warm[number]!.has(id)),
    )
  for (const number of free) if (result[number] === undefined) take(number, order)
  return result
}

/** Who had a number: of two that say so the one with the newer generation. */
function holders(
  topics: readonly SharedTopic[],
  count: number,
  members: readonly GroupCandidate[],
  had: (member: GroupCandidate) => Assignment,
) {
  const result = new Map<number, string>()
  const newestFirst = [...members].sort((a, b) => b.generation - a.generation || (a.id < b.id ? -1 : 1))
  for (const member of newestFirst) {
    for (const { name } of topics) {
      for (const number of had(member)[name] ?? []) {
        if (number < count && !result.has(number)) result.set(number, member.id)
      }
    }
  }
  return result
}

/** Who could serve a number at once, in all of its topics. */
function warmMembers(topics: readonly SharedTopic[], count: number, members: readonly GroupCandidate[]) {
  return Array.from({ length: count }, (_, number) => {
    const having = topics.filter(({ partitions }) => number < partitions)
    const isWarm = ({ warm = {} }: GroupCandidate) => having.every(({ name }) => warm[name]?.includes(number))
    return new Set(members.filter(isWarm).map(({ id }) => id))
  })
}
