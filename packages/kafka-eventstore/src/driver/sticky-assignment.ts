// Who gets what in a group: balanced, sticky, and partition n of every topic at the same member.
//
// kafkajs has no sticky assigner, and neither the ones of Java nor its round robin keep partitions of several topics
// together. The unit that is handed out is therefore a number: partition n of all topics that the same members share.

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
  /** The generation in which it got that: the newest of two contradictory members is right. */
  readonly generation: number
}

/** Partitions by topic. */
export type Assignment = Readonly<Record<string, readonly number[]>>

/**
 * Shares the partitions of topics among the members that subscribe to them.
 *
 * Among members with the same topics, no two differ by more than one number; a member keeps what it had, up to its
 * share. The answer depends on its input alone, not on the order of the members.
 */
export function assignSticky(
  topics: readonly SharedTopic[],
  members: readonly GroupCandidate[],
): ReadonlyMap<string, Assignment> {
  const shares = new Map(members.map(({ id }) => [id, {} as Record<string, number[]>]))
  for (const { names, subscribers, count } of classesOf(topics, members)) {
    const owners = shareNumbers(names, count, subscribers)
    for (let number = 0; number < count; number++) {
      const share = shares.get(owners.get(number)!)!
      for (const { name, partitions } of names) {
        if (number >= partitions) continue
        share[name] = [...(share[name] ?? []), number]
      }
    }
  }
  return shares
}

/** Topics that the same members subscribe to: in a running service one class, while a new version rolls out two. */
function classesOf(topics: readonly SharedTopic[], members: readonly GroupCandidate[]) {
  const byKey = new Map<string, { names: SharedTopic[]; subscribers: GroupCandidate[]; count: number }>()
  for (const topic of topics) {
    const subscribers = members.filter((member) => member.topics.includes(topic.name))
    if (subscribers.length === 0) continue
    const key = JSON.stringify(subscribers.map(({ id }) => id).sort())
    const found = byKey.get(key) ?? { names: [], subscribers, count: 0 }
    found.names.push(topic)
    found.count = Math.max(found.count, topic.partitions)
    byKey.set(key, found)
  }
  return byKey.values()
}

/** The numbers from 0 to `count`, each with the member that gets it. */
function shareNumbers(
  topics: readonly SharedTopic[],
  count: number,
  members: readonly GroupCandidate[],
): ReadonlyMap<number, string> {
  const before = holders(topics, count, members)
  const held = new Map<string, number[]>(members.map(({ id }) => [id, []]))
  for (const [number, id] of before) held.get(id)!.push(number)
  // Those that held most get the shares that are one larger: so the fewest partitions move.
  const order = [...held.keys()].sort((a, b) => held.get(b)!.length - held.get(a)!.length || (a < b ? -1 : 1))
  const least = Math.floor(count / order.length)
  const larger = count % order.length
  const result = new Map<number, string>()
  const room: string[] = []
  order.forEach((id, index) => {
    const share = least + (index < larger ? 1 : 0)
    const kept = held
      .get(id)!
      .sort((a, b) => a - b)
      .slice(0, share)
    for (const number of kept) result.set(number, id)
    for (let n = kept.length; n < share; n++) room.push(id)
  })
  for (let number = 0; number < count; number++) if (!result.has(number)) result.set(number, room.shift()!)
  return result
}

/** Who had a number: of two that say so the one with the newer generation. */
function holders(topics: readonly SharedTopic[], count: number, members: readonly GroupCandidate[]) {
  const result = new Map<number, string>()
  const newestFirst = [...members].sort((a, b) => b.generation - a.generation || (a.id < b.id ? -1 : 1))
  for (const { id, owned } of newestFirst) {
    for (const { name } of topics) {
      for (const number of owned[name] ?? []) if (number < count && !result.has(number)) result.set(number, id)
    }
  }
  return result
}
