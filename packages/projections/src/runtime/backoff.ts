// Longer and longer pauses between attempts, and never in step with others.

const first = 100
const longest = 5000

export class Backoff {
  /** @param tried how many attempts there were already; 1 before the first pause */
  constructor(private tried = 1) {}

  /** The next pause in milliseconds. */
  next(): number {
    const pause = Math.min(first * 2 ** (this.tried - 1), longest)
    this.tried++
    // Two that got in each other's way must not meet again.
    return Math.round(pause * (0.75 + Math.random() / 2))
  }

  reset(): void {
    this.tried = 1
  }
}
