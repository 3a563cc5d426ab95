// How things are measured: in turns, so that both sides see the same machine, and by medians of the rounds.

/** The samples of one side, a value per round. */
export interface Turns<A, B> {
  readonly ours: readonly A[]
  readonly theirs: readonly B[]
}

/**
 * Measures two things A B A B …, after one unmeasured turn of each.
 * Whatever disturbs the machine for longer than a turn disturbs both.
 */
export async function inTurns<A, B>(
  rounds: number,
  ours: (round: number) => Promise<A>,
  theirs: (round: number) => Promise<B>,
): Promise<Turns<A, B>> {
  const samples = await allInTurns<A | B>(rounds, [ours, theirs])
  return { ours: samples[0] as A[], theirs: samples[1] as B[] }
}

/** Measures any number of things A B C A B C …, after one unmeasured turn of each; the samples of each. */
export async function allInTurns<T>(
  rounds: number,
  sides: readonly ((round: number) => Promise<T>)[],
): Promise<readonly (readonly T[])[]> {
  const samples = sides.map(() => [] as T[])
  for (let round = 0; round <= rounds; round++) {
    for (const [at, side] of sides.entries()) {
      const sample = await settled(() => side(round))
      // Round 0 warms up: compilers, connections, page cache.
      if (round > 0) samples[at]!.push(sample)
    }
  }
  return samples
}

/** Runs a turn on a collected heap: nobody pays for the garbage of the one before. */
function settled<T>(turn: () => Promise<T>): Promise<T> {
  globalThis.gc?.()
  return turn()
}

/** The middle of the values, by a property when they are objects. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** The value below which this part (0 to 1) of the sorted values lie. */
export function percentile(sorted: Float64Array, part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN
}

/** What a number of callers got. */
export interface Load {
  readonly perSecond: number
  /** Milliseconds from call to answer. */
  readonly p50: number
  readonly p99: number
}

/** Each caller calls, waits for the answer, and calls again, until the time is over. */
export async function closedLoop(
  callers: number,
  seconds: number,
  call: (caller: number) => Promise<unknown>,
): Promise<Load> {
  const latencies: number[] = []
  const start = performance.now()
  const end = start + seconds * 1000
  const one = async (caller: number) => {
    for (let before = performance.now(); before < end; ) {
      await call(caller)
      const after = performance.now()
      latencies.push(after - before)
      before = after
    }
  }
  await Promise.all(Array.from({ length: callers }, (_, caller) => one(caller)))
  const elapsed = (performance.now() - start) / 1000
  const sorted = Float64Array.from(latencies).sort()
  return { perSecond: latencies.length / elapsed, p50: percentile(sorted, 0.5), p99: percentile(sorted, 0.99) }
}

/** The medians of several rounds of load. */
export function medianLoad(loads: readonly Load[]): Load {
  return {
    perSecond: median(loads.map((load) => load.perSecond)),
    p50: median(loads.map((load) => load.p50)),
    p99: median(loads.map((load) => load.p99)),
  }
}
