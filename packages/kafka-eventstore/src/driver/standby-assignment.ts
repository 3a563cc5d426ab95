// Who follows what: a copy of each partition, kept where it may be needed next.

/** What is known when the owners are. */
export interface StandbyQuestion {
  /** The members, in order. */
  readonly ids: readonly string[]
  /** By number: who owns it. */
  readonly owners: readonly string[]
  /** By number: who is to own it as soon as it can. */
  readonly next: readonly string[]
  /** How many are wanted for each number. */
  readonly standbys: number
  /** By number: who has a copy already. */
  readonly warm: readonly ReadonlySet<string>[]
}

/**
 * The followers of each number: first who is to own it next, then members with a copy, then those who follow least.
 *
 * Never its owner, and nobody twice. What one owner has is spread over the others, so that its end burdens all alike.
 */
export function chooseStandbys(question: StandbyQuestion): readonly ReadonlySet<string>[] {
  const { ids, owners, next, standbys, warm } = question
  const wanted = Math.min(standbys, ids.length - 1)
  const chosen = owners.map((owner, number) => new Set(next[number] === owner ? [] : [next[number]!]))
  const numbers = [...owners.keys()]
  const load = (id: string) => chosen.filter((followers) => followers.has(id)).length
  const ofOwner = (owner: string, id: string) =>
    numbers.filter((number) => owners[number] === owner && chosen[number]!.has(id)).length
  const can = (id: string, number: number) => id !== owners[number] && !chosen[number]!.has(id)

  const fill = (number: number, candidates: readonly string[]) => {
    while (chosen[number]!.size < wanted) {
      const owner = owners[number]!
      const left = candidates.filter((id) => can(id, number))
      const best = least(left, (id) => load(id) * owners.length + ofOwner(owner, id))
      if (best === undefined) return
      chosen[number]!.add(best)
    }
  }
  for (const number of numbers)
    fill(
      number,
      ids.filter((id) => warm[number]!.has(id)),
    )
  for (const number of numbers) fill(number, ids)

  // Whoever follows most hands over to whoever follows least; rather what it has no copy of yet.
  for (;;) {
    const [most, fewest] = [least(ids, (id) => -load(id))!, least(ids, load)!]
    if (load(most) - load(fewest) <= 1) return chosen
    const movable = numbers.filter(
      (number) => chosen[number]!.has(most) && next[number] !== most && can(fewest, number),
    )
    const moved = least(movable, (number) => (warm[number]!.has(most) ? 1 : 0))
    if (moved === undefined) return chosen
    chosen[moved]!.delete(most)
    chosen[moved]!.add(fewest)
  }
}

/** The first of the least. */
function least<T>(all: readonly T[], measure: (one: T) => number): T | undefined {
  let found: { readonly one: T; readonly measured: number } | undefined
  for (const one of all) {
    const measured = measure(one)
    if (found === undefined || measured < found.measured) found = { one, measured }
  }
  return found?.one
}
