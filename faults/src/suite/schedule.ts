// The order of the faults: each alone, shuffled by the seed; then pairs, in which all come equally often but the slow ones.
import type { Random } from '../random.js'

/**
 * What to strike with next, without end.
 * @param alone whether there is still time for faults that come alone
 */
export function* schedule(
  names: readonly string[],
  slow: ReadonlySet<string>,
  random: Random,
  alone: () => boolean,
): Generator<readonly string[]> {
  for (const name of shuffled(names, random)) {
    if (!alone()) break
    yield [name]
  }
  const bag: string[] = []
  const often = names.filter((name) => !slow.has(name))
  for (;;) {
    // Every one of the quick faults four times, the slow ones once; who is left over from the last bag comes first.
    if (bag.length < 2) bag.unshift(...shuffled([...names, ...often, ...often, ...often], random))
    yield [bag.pop()!, bag.pop()!]
  }
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  const all = [...items]
  for (let at = all.length - 1; at > 0; at--) {
    const other = random.between(0, at)
    ;[all[at], all[other]] = [all[other]!, all[at]!]
  }
  return all
}
