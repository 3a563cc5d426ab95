// One projection of a started application: what follows it, and how it begins again.
import {
  type EventLog,
  type Health,
  type Logger,
  NarrativeError,
  type Position,
  type ReadModelWatcher,
} from '@narrative/core'
import { type ProjectionLike, readProjection } from '../decorators/read-projection.js'
import type { BoundProjection } from '../definition/bind-projection.js'
import { memoryProjection } from '../memory/memory-projection.js'
import { Follower } from '../runtime/follower.js'
import type { Progress } from '../runtime/progress.js'
import type { ReadModels } from '../runtime/read-models.js'
import { Meter, type RebuildOptions, type RebuildProgress } from '../runtime/rebuild.js'
import type { OpenSession } from '../runtime/session.js'
import { TableSession } from '../runtime/table-session.js'

/** Runs one projection. */
export class ProjectionRunner {
  private follower: Follower
  private readonly watchers = new Set<ReadModelWatcher>()

  constructor(
    readonly projection: BoundProjection,
    private readonly store: ReadModels,
    private readonly eventLog: EventLog,
    private readonly logger: Logger,
  ) {
    this.follower = this.follow()
  }

  start = (): Promise<void> => this.follower.start()
  stop = (): Promise<void> => this.follower.stop()
  health = (): Health => this.follower.health()
  caughtUp = (): Promise<void> => this.follower.caughtUp()
  waitFor = (position: Position, timeout: number): Promise<void> => this.follower.progress.waitFor(position, timeout)

  /** Tells of every commit; the function returned ends that. */
  watch(watcher: ReadModelWatcher): () => void {
    this.watchers.add(watcher)
    tell(watcher, this.follower.progress)
    return () => this.watchers.delete(watcher)
  }

  /** Empties the state of a memory projection and replays it; readers see it grow, and health says so. */
  async replayInPlace(options: RebuildOptions): Promise<RebuildProgress> {
    const instance = this.projection.instance() as { reset?: () => void } | undefined
    if (typeof instance?.reset !== 'function') throw cannotRebuild(this.projection.name)
    await this.follower.stop()
    instance.reset()
    const meter = new Meter({ projection: this.projection, ...options })
    this.follower = this.follow(meter)
    await this.follower.start()
    await this.follower.caughtUp(options.signal)
    return meter.finish()
  }

  private follow(meter?: Meter): Follower {
    const { projection, eventLog, logger } = this
    const { name, categories } = projection
    return new Follower({
      name,
      categories,
      eventLog,
      logger,
      open: sessionsOf(projection, this.store),
      onProgress: (progress) => {
        meter?.report(progress)
        for (const watcher of this.watchers) tell(watcher, progress)
      },
    })
  }
}

function tell(watcher: ReadModelWatcher, { stopped }: Progress): void {
  if (stopped === undefined) watcher.moved()
  else watcher.stopped(stopped)
}

function sessionsOf(projection: BoundProjection, store: ReadModels): OpenSession {
  switch (projection.target.kind) {
    case 'memory':
      return memoryProjection(projection)
    case 'sql':
      return store.openSql(projection)
    case 'table':
      return async (partitions, listener) =>
        new TableSession(projection, await store.openTable(projection, partitions), listener)
  }
}

/** Finds a projection by its class, its definition or its name. */
export function findProjection(bound: readonly BoundProjection[], wanted: ProjectionLike | string): BoundProjection {
  const name = typeof wanted === 'string' ? wanted : readProjection(wanted).definition.name
  const found = bound.find((projection) => projection.name === name)
  if (found !== undefined) return found
  throw new NarrativeError('PROJECTION_UNKNOWN', {
    message: `No projection of this application is called ${name}; known are ${bound.map((projection) => projection.name).join(', ') || 'none'}.`,
    details: { projection: name },
  })
}

function cannotRebuild(name: string): NarrativeError<'STARTUP_FAULTS'> {
  return new NarrativeError('STARTUP_FAULTS', {
    message: `Projection ${name} keeps state of its own in memory; every start rebuilds it. To rebuild it while it runs, give its class a method reset() that empties it.`,
    details: { projection: name },
  })
}
