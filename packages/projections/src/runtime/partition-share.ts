// Which partitions a follower follows, and how far others have come with theirs.
import type { Checkpoint, Logger, LogPartition, ReaderShare } from '@narrative/core'
import { keepLooking } from './looking.js'
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
    const { checkpoints } = this.settings
    if (checkpoints === undefined) return
    await keepLooking({
      signal: this.ending.signal,
      isUrgent: () => this.progress.awaited && !this.hasAll,
      look: async () => {
        if (this.hasAll) return
        this.progress.moved((await checkpoints()).filter((checkpoint) => !this.includes(checkpoint)))
      },
    })
  }

  private get hasAll(): boolean {
    return this.ours.length === this.all.length
  }
}
