// Which partitions a follower follows, and how far others have come with theirs.
import { setTimeout as delay } from 'node:timers/promises'
import type { Checkpoint, Logger, LogPartition, ReaderShare } from '@narrative/core'
import type { Progress } from './progress.js'
import type { Place } from './work-share.js'

/** With whom partitions are shared; without, all are followed here. */
export interface ShareSettings {
  readonly name: string
  readonly logger: Logger
  readonly share?: (all: readonly LogPartition[], onAssigned: (mine: readonly Place[]) => void) => Promise<ReaderShare>
  /** How far the read model is, as far as others work on it. */
  readonly checkpoints?: () => Promise<readonly Checkpoint[]>
}

/** How often to ask how far others are: when somebody waits for them, and when nobody does. Milliseconds. */
const every = { urgently: 25, usually: 1000 }

export class PartitionShare {
  private all: readonly LogPartition[] = []
  private ours: readonly Place[] = []
  private renewal = new AbortController()
  private membership: ReaderShare | undefined
  private asking: Promise<void> = Promise.resolve()
  private readonly ending = new AbortController()

  constructor(
    private readonly settings: ShareSettings,
    private readonly progress: Progress,
  ) {}

  /** What is to be followed here. */
  get mine(): readonly Place[] {
    return this.ours
  }

  /** Aborted when other partitions are to be followed, or the same ones anew. */
  get changed(): AbortSignal {
    return this.renewal.signal
  }

  /** Resolves when it is known what is to be followed here. */
  async begin(all: readonly LogPartition[]): Promise<void> {
    this.all = all
    this.ours = all
    this.membership = await this.settings.share?.(all, (mine) => this.assign(mine))
    this.asking = this.askOthers()
  }

  /** Gives the partitions to others. */
  async end(): Promise<void> {
    this.ending.abort()
    await this.asking
    await this.membership?.leave()
  }

  includes({ topic, partition }: Place): boolean {
    return this.ours.some((place) => place.topic === topic && place.partition === partition)
  }

  renew(): void {
    this.renewal.abort()
    this.renewal = new AbortController()
  }

  private assign(mine: readonly Place[]): void {
    if (mine.length === this.ours.length && mine.every((place) => this.includes(place))) return
    this.ours = mine
    this.renew()
  }

  private async askOthers(): Promise<void> {
    const { signal } = this.ending
    const { checkpoints, logger, name } = this.settings
    if (checkpoints === undefined) return
    for (let waited = 0; !signal.aborted; waited += every.urgently) {
      // An end cuts the pause short; the loop then sees it.
      await delay(every.urgently, undefined, { signal }).catch(() => {})
      if (this.ours.length === this.all.length || !(this.progress.awaited || waited >= every.usually)) continue
      waited = 0
      try {
        this.progress.moved((await checkpoints()).filter((checkpoint) => !this.includes(checkpoint)))
      } catch (error) {
        // The next look may succeed; whoever waits is told in time how far it was.
        logger.debug({ projection: name, error }, `How far others are with projection ${name} cannot be told`)
      }
    }
  }
}
