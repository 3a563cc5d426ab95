// For how long a member may trust in what it has, and who waits for the group's next word.
import type { GroupOptions } from './kafka-driver.js'

/** How long a member that goes by a name may trust in what it has, milliseconds: its successor waits for so long. */
const namedLease = 1_000

export class GroupLease {
  /** How long after a word from the group nobody else can have been given what is ours, milliseconds. */
  readonly duration: number
  #sureUntil = 0
  #contact = performance.now()
  #waiting: { readonly since: number; readonly resolve: () => void }[] = []
  #over = false

  constructor({ instanceId, sessionTimeout }: Pick<GroupOptions, 'instanceId' | 'sessionTimeout'>) {
    const duration = (sessionTimeout * 2) / 3
    this.duration = instanceId === undefined ? duration : Math.min(duration, namedLease)
  }

  get sureUntil(): number {
    return this.#sureUntil
  }

  /** Milliseconds since the group last answered. */
  get silentFor(): number {
    return performance.now() - this.#contact
  }

  get isAwaited(): boolean {
    return this.#waiting.length > 0
  }

  /** Resolves when the group has said, after this call, what is ours; at once when it will say nothing any more. */
  confirmed(): Promise<void> {
    if (this.#over) return Promise.resolve()
    return new Promise((resolve) => this.#waiting.push({ since: performance.now(), resolve }))
  }

  /** The coordinator counted us among the living at `since` or later, with nothing else going on. */
  extend(since: number): void {
    if (this.#over) return
    this.#contact = performance.now()
    this.#sureUntil = since + this.duration
    const confirmed = this.#waiting.filter((waiting) => waiting.since <= since)
    this.#waiting = this.#waiting.filter((waiting) => waiting.since > since)
    for (const { resolve } of confirmed) resolve()
  }

  /** From here on somebody else may be given what was ours. */
  suspend(): void {
    this.#sureUntil = 0
  }

  /** Nothing is ours any more. */
  end(): void {
    this.#over = true
    this.#sureUntil = 0
    for (const { resolve } of this.#waiting.splice(0)) resolve()
  }
}
