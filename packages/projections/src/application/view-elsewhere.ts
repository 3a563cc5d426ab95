// A read model that this process does not follow, as queries see it: by what those who follow it store.
import { type EventLog, NarrativeError, type Position, type ReadModelWatcher } from '@narrative/core'
import type { BoundProjection } from '../definition/bind-projection.js'
import { assertNotParked } from '../failures/assert-not-parked.js'
import { isAlive } from '../runtime/control.js'
import { keepLooking } from '../runtime/looking.js'
import { Progress } from '../runtime/progress.js'
import type { ReadModels } from '../runtime/read-models.js'

/** A read model that queries can wait for and watch. */
export interface QueriedView {
  readonly projection: BoundProjection
  waitFor(position: Position, timeout: number): Promise<void>
  watch(watcher: ReadModelWatcher): () => void
  stop(): Promise<void>
}

/** Looks while somebody waits or watches, and only then. */
export class ViewElsewhere implements QueriedView {
  private readonly progress: Progress
  private readonly watchers = new Set<ReadModelWatcher>()
  private readonly ending = new AbortController()
  private partitions: Promise<unknown> | undefined
  private readonly looking: Promise<void>

  constructor(
    readonly projection: BoundProjection,
    private readonly store: ReadModels,
    private readonly eventLog: EventLog,
  ) {
    this.progress = new Progress(projection.name, () => {
      for (const watcher of this.watchers) watcher.moved()
    })
    this.looking = keepLooking({
      signal: this.ending.signal,
      isUrgent: () => this.progress.awaited,
      look: async () => {
        if (this.progress.awaited || this.watchers.size > 0) await this.look()
      },
    })
  }

  async waitFor(position: Position, timeout: number): Promise<void> {
    this.assertStored()
    await this.knowPartitions()
    await this.progress.waitFor(position, timeout)
    await assertNotParked(this.store.letters(this.projection), this.projection.name, position)
  }

  watch(watcher: ReadModelWatcher): () => void {
    this.assertStored()
    this.watchers.add(watcher)
    this.assertFollowed().catch((error: unknown) => watcher.stopped(error))
    return () => this.watchers.delete(watcher)
  }

  async stop(): Promise<void> {
    this.ending.abort()
    await this.looking
  }

  private async look(): Promise<void> {
    this.progress.moved((await this.store.checkpoints?.(this.projection)) ?? [])
  }

  private async knowPartitions(): Promise<void> {
    const { categories } = this.projection
    this.partitions ??= Promise.all(categories.map((category) => this.eventLog.partitions(category))).then((found) =>
      this.progress.begin(found.flat()),
    )
    await this.partitions.catch((error: unknown) => {
      this.partitions = undefined
      throw error
    })
  }

  /** What only the memory of another process holds, cannot be seen from here. */
  private assertStored(): void {
    const { projection, store } = this
    if (store.checkpoints !== undefined && projection.target.kind !== 'memory') return
    throw unfollowed(
      projection.name,
      'and what it keeps in memory is filled only where it is followed',
      'Leave out { follow: false } here',
    )
  }

  private async assertFollowed(): Promise<void> {
    const { name } = this.projection
    const { workers } = await this.store.control.state(name)
    if (workers.some(isAlive)) return
    throw unfollowed(name, 'and no other process does', 'Start one that does')
  }
}

function unfollowed(name: string, why: string, remedy: string): NarrativeError<'READ_MODEL_UNFOLLOWED'> {
  return new NarrativeError('READ_MODEL_UNFOLLOWED', {
    message: `Projection ${name} is not followed in this process, ${why}: a query would wait for ever. ${remedy}, or ask once, and without "after".`,
    details: { readModel: name },
  })
}
