// Rebuilds one projection from offset 0, with progress; readers keep the old view until the new one is level with it.
import { setTimeout as delay } from 'node:timers/promises'
import { type Checkpoint, type EventLog, isNarrativeError, type Logger, type LogPartition } from '@narrative/core'
import type { BoundProjection } from '../definition/bind-projection.js'
import { Follower } from './follower.js'
import type { Progress } from './progress.js'
import type { ReadModels, ViewBuild } from './read-models.js'
import type { OpenSession } from './session.js'
import { TableSession } from './table-session.js'

/** How far a rebuild is. Events are counted by offsets, which also number the log's own few records. */
export interface RebuildProgress {
  readonly projection: string
  readonly events: number
  /** The events in the log when the rebuild began. */
  readonly total: number
  readonly eventsPerSecond: number
  /** Undefined until there is a rate to tell it by. */
  readonly secondsLeft: number | undefined
  readonly partitions: readonly {
    readonly topic: string
    readonly partition: number
    readonly offset: number
    readonly end: number
  }[]
}

/** How to rebuild. */
export interface RebuildOptions {
  /** Called a few times a second, and once at the end. */
  readonly onProgress?: (progress: RebuildProgress) => void
  /** Gives up: the old view stays as it is. */
  readonly signal?: AbortSignal
}

/** What a rebuild works with. */
export interface RebuildContext extends RebuildOptions {
  readonly projection: BoundProjection
  readonly store: ReadModels
  readonly eventLog: EventLog
  readonly logger: Logger
}

/** Rebuilds a projection that has a table or SQL of its own. */
export async function rebuild(context: RebuildContext): Promise<RebuildProgress> {
  const { projection, store } = context
  const meter = new Meter(context)
  if (projection.target.kind === 'sql') {
    await store.rebuildSql(projection, (open) => replay(context, meter, open))
    return meter.finish()
  }
  const build = await store.buildTable(projection)
  try {
    const open: OpenSession = async (partitions, listener, suspects) =>
      new TableSession(projection, await build.open(partitions), listener, suspects)
    await replay(context, meter, open)
    await publish(context, build, (old) => replay(context, meter, open, old))
    return meter.finish()
  } finally {
    await build.close()
  }
}

/** A reader that holds the old table for long, or a lost connection, must not cost the whole build. */
async function publish(
  { projection, logger, signal }: RebuildContext,
  build: ViewBuild,
  catchUp: Parameters<ViewBuild['publish']>[0],
): Promise<void> {
  for (;;) {
    try {
      return await build.publish(catchUp)
    } catch (error) {
      signal?.throwIfAborted()
      if (!isNarrativeError(error) || !error.retryable) throw error
      logger.warn(
        { projection: projection.name, error },
        `The rebuilt view of ${projection.name} could not be put in place yet`,
      )
      await delay(1000, undefined, { signal })
    }
  }
}

/** Follows the log until its present end, or until the given checkpoints. */
async function replay(
  { projection, eventLog, logger, signal }: RebuildContext,
  meter: Meter,
  open: OpenSession,
  until?: readonly Checkpoint[],
): Promise<void> {
  const follower = new Follower({
    name: projection.name,
    onFailure: projection.onFailure,
    categories: projection.categories,
    eventLog: until === undefined ? eventLog : endingAt(eventLog, until),
    logger,
    open,
    onProgress: (progress) => meter.report(progress),
  })
  signal?.throwIfAborted()
  await follower.start()
  try {
    await follower.caughtUp(signal)
  } finally {
    await follower.stop()
  }
}

/** The same log, as if it ended at these checkpoints. */
function endingAt(eventLog: EventLog, ends: readonly Checkpoint[]): EventLog {
  const endOf = ({ topic, partition }: LogPartition) =>
    ends.find((end) => end.topic === topic && end.partition === partition)?.offset ?? 0
  return {
    partitions: async (category) =>
      (await eventLog.partitions(category)).map((partition) => ({ ...partition, end: endOf(partition) })),
    subscribe: (options) => eventLog.subscribe(options),
  }
}

/** Turns progress into rates, a few times a second. */
export class Meter {
  private readonly began = performance.now()
  private reported = 0
  private latest: Progress | undefined

  constructor(private readonly context: RebuildOptions & { readonly projection: BoundProjection }) {}

  report(progress: Progress): void {
    this.latest = progress
    const now = performance.now()
    if (now - this.reported < 200) return
    this.reported = now
    this.context.onProgress?.(this.measure())
  }

  finish(): RebuildProgress {
    const last = this.measure()
    this.context.onProgress?.(last)
    return last
  }

  private measure(): RebuildProgress {
    const partitions = this.latest?.partitions ?? []
    const events = partitions.reduce((sum, { offset }) => sum + offset, 0)
    const total = Math.max(
      events,
      partitions.reduce((sum, { end }) => sum + end, 0),
    )
    const seconds = Math.max(performance.now() - this.began, 1) / 1000
    const eventsPerSecond = events / seconds
    const secondsLeft = events === 0 ? undefined : (total - events) / eventsPerSecond
    return { projection: this.context.projection.name, events, total, eventsPerSecond, secondsLeft, partitions }
  }
}
