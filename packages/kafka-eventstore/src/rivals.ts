// Other owners of the same partition: which claims are theirs, and who is right when there is one after ours.
//
// A partition that a rival claimed after us is the rival's, unless the group says that it is ours: a zombie must not steal
// it back, and a partition must not be left to a rival that is a zombie itself.
import { isNarrativeError, type NarrativeError } from '@narrative/core'
import { Backoff } from './backoff.js'
import { orAborted } from './driver/attempts.js'
import { takenOver } from './owner-errors.js'

/** What tells an owner from a zombie. */
export interface GroupWord {
  /** Up to this moment of `performance.now()` the group vouches for what is owned here; 0 when unsure. */
  readonly sureUntil: () => number
  /** Asks the group whose the partition is; it is released before this resolves when it is not ours any more. */
  readonly confirm: () => Promise<void>
}

/** After so long without a rival, the next one is a new affair. */
const quietTimes = 60_000

export class Rivals {
  readonly #place: { readonly topic: string; readonly partition: number }
  readonly #group: GroupWord
  readonly #closing: AbortSignal
  /** Every claim id this owner ever tried to write. */
  readonly #mine = new Set<string>()
  /** No reason to step back: the claim in force when this owner came, or the last one that the group decided against. */
  #before: string | null | undefined
  /** Long and growing, so that two who both believe themselves in the right settle. */
  readonly #pauses = new Backoff(250, 15_000)

  /** @param closing aborts when the owner is closed, and with an error of ours when the partition was taken from it */
  constructor(place: { readonly topic: string; readonly partition: number }, group: GroupWord, closing: AbortSignal) {
    this.#place = place
    this.#group = group
    this.#closing = closing
  }

  /** Before it is sent: should its answer be lost, it is not taken for a rival's. */
  announce(claim: string): void {
    this.#mine.add(claim)
  }

  /** The error that a claim in force means, when somebody made it after this owner came. */
  lossBy(claim: string | null): NarrativeError | undefined {
    if (this.#before === undefined) this.#before = claim
    if (claim === null || claim === this.#before || this.#mine.has(claim)) return undefined
    return takenOver(this.#place.topic, this.#place.partition, claim)
  }

  /**
   * Resolves when the group has said, after a while, that the partition is ours in spite of this claim.
   * @param quietSince when this owner began to serve undisturbed: a moment of `performance.now()`
   * @throws NarrativeError `NOT_OWNER`
   */
  async outlast(claim: string | null, quietSince: number): Promise<void> {
    if (performance.now() - quietSince > quietTimes) this.#pauses.reset()
    await this.#pauses.pause(this.#closing)
    await this.assured(claim)
    this.#before = claim
  }

  /** The group says that it is ours. @throws NarrativeError `NOT_OWNER` when it is released or closed before that */
  async assured(claim: string | null): Promise<void> {
    const signal = this.#closing
    const { sureUntil, confirm } = this.#group
    const loss = () => (isNarrativeError(signal.reason) ? signal.reason : undefined)
    if (loss() === undefined && performance.now() < sureUntil()) return
    if (!signal.aborted) await orAborted(confirm(), [signal]).catch(() => {})
    if (signal.aborted) throw loss() ?? takenOver(this.#place.topic, this.#place.partition, String(claim))
  }
}
