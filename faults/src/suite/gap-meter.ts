// For how long each partition took no write: the longest time between two acknowledgements of new events.

export class GapMeter {
  readonly #last: number[]
  readonly #begun: number[]
  readonly #longest: number[]

  constructor(partitions: number, now: number) {
    this.#last = Array.from({ length: partitions }, () => now)
    this.#begun = Array.from({ length: partitions }, () => 0)
    this.#longest = Array.from({ length: partitions }, () => 0)
  }

  /** Something new was acknowledged now; its caller had asked at `begun`. */
  acknowledged(partition: number, begun: number, now: number): void {
    this.#longest[partition] = Math.max(this.#longest[partition]!, now - this.#last[partition]!)
    this.#last[partition] = now
    this.#begun[partition] = Math.max(this.#begun[partition]!, begun)
  }

  /** Begins to measure: what was before does not count. */
  reset(now: number): void {
    this.#longest.fill(0)
    this.#last.fill(now)
  }

  /** By partition, since the last reset; one that goes on counts up to now. */
  longest(now: number): number[] {
    return this.#longest.map((gap, partition) => Math.max(gap, now - this.#last[partition]!))
  }

  /** Partitions that acknowledged nothing that was asked for after this instant. */
  silentSince(instant: number): number[] {
    return this.#begun.flatMap((begun, partition) => (begun > instant ? [] : partition))
  }
}
