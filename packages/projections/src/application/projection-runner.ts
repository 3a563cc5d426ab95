// One projection of a started application: what follows it, how it is, and how it begins again.
import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
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
import { assertNotParked } from '../failures/assert-not-parked.js'
import type { DeadLetters } from '../failures/dead-letter.js'
import { memoryProjection } from '../memory/memory-projection.js'
import type { ControlRoom } from '../runtime/control.js'
import { Follower, type FollowOptions } from '../runtime/follower.js'
import type { Progress } from '../runtime/progress.js'
import { ProgressMeter, type RebuildProgress } from '../runtime/progress-meter.js'
import type { ReadModels } from '../runtime/read-models.js'
import type { RebuildOptions } from '../runtime/rebuild.js'
import type { OpenSession } from '../runtime/session.js'
import { reasonOf } from '../runtime/stopped.js'
import { TableSession } from '../runtime/table-session.js'
import { shareWork } from '../runtime/work-share.js'
import type { ProjectionStatus } from './projection-status.js'
import { Reporting } from './reporting.js'

/** Runs one projection. */
export class ProjectionRunner {
  private follower!: Follower
  private view!: View
  private readonly watchers = new Set<ReadModelWatcher>()
  private readonly worker = `${hostname()}:${process.pid}:${randomUUID().slice(0, 8)}`
  private readonly reporting: Reporting

  constructor(
    readonly projection: BoundProjection,
    private readonly store: ReadModels,
    private readonly eventLog: EventLog,
    private readonly logger: Logger,
  ) {
    this.begin()
    this.reporting = new Reporting({
      ...{ projection: projection.name, worker: this.worker, logger },
      room: () => this.view.control,
      status: () => this.status(),
      paused: (paused) => this.follower.setPaused(paused),
      wake: () => this.follower.beginAgain(),
    })
  }

  async start(): Promise<void> {
    await this.reporting.start()
    await this.follower.start()
  }

  async stop(): Promise<void> {
    await this.follower.stop()
    await this.reporting.stop()
  }

  /** Looks now what those who look after it want. */
  lookUp = (): Promise<void> => this.reporting.report()

  get control(): ControlRoom {
    return this.view.control
  }

  caughtUp = (): Promise<void> => this.follower.caughtUp()

  async waitFor(position: Position, timeout: number): Promise<void> {
    await this.follower.progress.waitFor(position, timeout)
    if (this.follower.isMine(position)) return
    await assertNotParked(this.view.letters, this.projection.name, position)
  }

  /** Tells of every commit, and of the end; the function returned ends it. */
  watch(watcher: ReadModelWatcher): () => void {
    this.watchers.add(watcher)
    const { stopped } = this.follower.progress
    if (stopped !== undefined) watcher.stopped(stopped) // before anybody watched
    return () => this.watchers.delete(watcher)
  }

  status(): ProjectionStatus {
    const { phase, parked, progress } = this.follower
    const partitions = progress.partitions.map((place) => ({ ...place, here: this.follower.isMine(place) }))
    const behind = partitions.reduce((sum, { offset, end }) => sum + Math.max(0, end - offset), 0)
    const common = { projection: this.projection.name, parked, behind, partitions }
    if (phase.at === 'stopped') return { ...common, state: 'stopped', reason: reasonOf(phase.error) }
    if (phase.at === 'paused') return { ...common, state: 'paused', reason: undefined }
    const away = this.follower.away
    if (away !== undefined) return { ...common, state: 'paused', reason: reasonOf(away) }
    if (phase.at === 'standby') return { ...common, state: 'standby', reason: undefined }
    if (phase.at === 'retrying') return { ...common, state: 'retrying', reason: phase.reason }
    return { ...common, state: progress.caughtUp ? 'running' : 'catching-up', reason: undefined }
  }

  /** Parked events do not make an instance unready: all the others are served. */
  health(): Health {
    const { projection, state, reason, behind } = this.status()
    if (state === 'running' || (state === 'standby' && behind === 0)) return { ready: true, reasons: [] }
    if (state === 'stopped') return { ready: false, reasons: [reason!] }
    if (state === 'paused') {
      const why = reason === undefined ? '' : `: ${reason}`
      return { ready: false, reasons: [`Projection ${projection} is paused${why}.`] }
    }
    if (state === 'retrying')
      return { ready: false, reasons: [`Projection ${projection} waits and tries again: ${reason}.`] }
    return { ready: false, reasons: [`Projection ${projection} is catching up: ${behind} events to go.`] }
  }

  /** What is parked; what is asked for is done at once. */
  get deadLetters(): DeadLetters {
    const { letters } = this.view
    return {
      list: (options) => letters.list(options),
      count: () => letters.count(),
      ask: async (wish, which) => {
        const count = await letters.ask(wish, which)
        await this.follower.attend()
        return count
      },
    }
  }

  /** Empties the state of a memory projection and replays it; readers see it grow, and health says so. */
  async replayInPlace(options: RebuildOptions): Promise<RebuildProgress> {
    const instance = this.projection.instance() as { reset?: () => void } | undefined
    if (typeof instance?.reset !== 'function') throw cannotRebuild(this.projection.name)
    await this.follower.stop()
    instance.reset()
    const meter = new ProgressMeter(this.projection.name, options.onProgress)
    this.begin(meter)
    await this.follower.start()
    await this.follower.caughtUp(options.signal)
    return meter.finish()
  }

  private begin(meter?: ProgressMeter): void {
    const { projection, store, eventLog, logger } = this
    const { name, categories, onFailure, clock } = projection
    this.view = viewOf(projection, this.store)
    this.follower = new Follower({
      ...{ name, categories, onFailure, clock, eventLog, logger },
      open: this.view.open,
      breaker: projection.target.kind === 'memory' ? undefined : store.breaker,
      ...this.others(),
      onProgress: (progress) => {
        meter?.report(progress)
        this.tell(progress)
      },
    })
  }

  /** Only what many processes can see can be the work of many. */
  private others(): Pick<FollowOptions, 'share' | 'checkpoints'> {
    const { projection, store, eventLog } = this
    const { checkpoints } = store
    if (checkpoints === undefined || projection.target.kind === 'memory') return {}
    return {
      share: (all, onAssigned) => shareWork(eventLog, projection, all, onAssigned),
      checkpoints: () => checkpoints(projection),
    }
  }

  private tell({ stopped }: Progress): void {
    for (const watcher of this.watchers) {
      if (stopped === undefined) watcher.moved()
      else watcher.stopped(stopped)
    }
  }
}

/** A read model as it is followed into, and what is parked beside it. */
interface View {
  readonly open: OpenSession
  readonly letters: DeadLetters
  readonly control: ControlRoom
}

function viewOf(projection: BoundProjection, store: ReadModels): View {
  switch (projection.target.kind) {
    case 'memory':
      return memoryProjection(projection)
    case 'sql':
      return { open: store.openSql(projection), letters: store.letters(projection), control: store.control }
    case 'table':
    case 'tables':
      return {
        open: async (partitions, listener, suspects) =>
          new TableSession(projection, await store.openTable(projection, partitions), listener, suspects),
        letters: store.letters(projection),
        control: store.control,
      }
  }
}

/** Whether a projection is the one that is named by its class, its definition or its name. */
export function isNamed(projection: BoundProjection, wanted: object | string): boolean {
  return projection.name === nameOf(wanted as ProjectionLike | string)
}

function nameOf(wanted: ProjectionLike | string): string {
  return typeof wanted === 'string' ? wanted : readProjection(wanted).definition.name
}

/** Finds a projection by its class, its definition or its name. */
export function findProjection(bound: readonly BoundProjection[], wanted: ProjectionLike | string): BoundProjection {
  const found = bound.find((projection) => isNamed(projection, wanted))
  if (found !== undefined) return found
  const name = nameOf(wanted)
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
