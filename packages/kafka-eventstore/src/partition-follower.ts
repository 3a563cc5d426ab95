// Keeps a copy of a partition that another instance owns, so that this one can take it over by reading the tail.
import { isNarrativeError, type NarrativeError, type PartitionStatus } from '@narrative/core'
import { Backoff } from './backoff.js'
import { type CatchUpOptions, catchUp } from './catch-up.js'
import { ownerFailed } from './owner-errors.js'
import type { Replica } from './replica/replica.js'

/** What a follower works on and with. */
export interface FollowerOptions extends Pick<CatchUpOptions, 'driver' | 'topic' | 'partition' | 'logger'> {
  readonly replica: Replica
  /** Resolves when whoever had the replica before is done with it. */
  readonly vacated: Promise<unknown>
}

/** Records behind the end of the log that a new owner has read in no time. */
const nearly = 10_000

export class PartitionFollower {
  readonly #options: FollowerOptions
  readonly #name: string
  readonly #released = new AbortController()
  readonly #running: Promise<void>
  #opened = false
  /** Where the log ended at the last look. */
  #end = Number.POSITIVE_INFINITY
  #voids = 0
  #failure: NarrativeError | undefined
  #trouble: string | undefined

  constructor(options: FollowerOptions) {
    this.#options = options
    this.#name = `${options.topic}/${options.partition}`
    this.#running = this.#run()
  }

  /** Whether an owner that began with its replica would serve at once. */
  get warm(): boolean {
    return this.copy !== undefined && this.#end - this.#options.replica.point.offset <= nearly
  }

  /** Its replica, when it can be looked into. */
  get copy(): Replica | undefined {
    return this.#opened && this.#failure === undefined ? this.#options.replica : undefined
  }

  /** It gave up because its replica cannot be kept here. */
  get diskFailed(): boolean {
    return isNarrativeError(this.#failure, 'DISK_FAILED')
  }

  /** It gave up, and its replica is not to be built upon. */
  get failed(): boolean {
    return this.#failure !== undefined
  }

  get status(): PartitionStatus {
    const { topic, partition, replica } = this.#options
    const why = this.#failure?.message ?? this.#trouble
    const reason = why === undefined ? undefined : `${this.#name} is not followed: ${why}`
    const { offset } = replica.point
    const lag = Number.isFinite(this.#end) ? Math.max(0, this.#end - offset) : 0
    return { topic, partition, state: 'following', reason, offset, lag, voids: this.#voids, waiting: 0 }
  }

  /** Stops reading; resolves when the replica is free. */
  async release(): Promise<void> {
    this.#released.abort()
    await this.#running
  }

  /** Until it is released, or cannot go on. */
  async #run(): Promise<void> {
    const { topic, partition, logger, replica, vacated } = this.#options
    const { signal } = this.#released
    const backoff = new Backoff(50, 5_000)
    const onEnd = (end: number) => {
      this.#end = end
      this.#trouble = undefined
      backoff.reset()
    }
    const onVoid = (offsets: readonly number[]) => {
      this.#voids += offsets.length
    }
    await vacated
    while (!signal.aborted) {
      this.#opened = false
      try {
        await replica.open?.()
        this.#opened = true
        await catchUp({ ...this.#options, signal, onEnd, onVoid }, Number.POSITIVE_INFINITY)
      } catch (error) {
        if (signal.aborted) return
        logger.warn({ topic, partition, error }, `${this.#name} cannot be followed at the moment`)
        // Whether a replica can go on, it says when it is opened again.
        const over = isNarrativeError(error, 'DISK_FAILED') && !this.#opened
        if (over || !isNarrativeError(error) || !error.retryable) {
          this.#failure = isNarrativeError(error) ? error : ownerFailed(topic, partition, error)
          return
        }
        this.#trouble = error.message
        await backoff.pause(signal)
      }
    }
  }
}
