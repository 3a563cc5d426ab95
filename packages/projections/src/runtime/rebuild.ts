// Rebuilds one projection from offset 0, with progress; readers keep the old view until the new one is level with it.
import { setTimeout as delay } from 'node:timers/promises'
import {
  type Checkpoint,
  type EventLog,
  isNarrativeError,
  type Logger,
  type LogPartition,
  NarrativeError,
} from '@narrative/core'
import type { BoundProjection } from '../definition/bind-projection.js'
import { Follower } from './follower.js'
import { ProgressMeter, type RebuildProgress } from './progress-meter.js'
import type { Build, ReadModels, SqlBuild, ViewBuild } from './read-models.js'
import type { OpenSession } from './session.js'
import { rebuildCancelled } from './stopped.js'
import { TableSession, whileRebuilding } from './table-session.js'
import { shareWork } from './work-share.js'

/** How to rebuild. */
export interface RebuildOptions {
  /** Called a few times a second, and once at the end. */
  readonly onProgress?: (progress: RebuildProgress) => void
  /** Gives up: the old view stays as it is, and what was built is thrown away unless others go on with it. */
  readonly signal?: AbortSignal
  /**
   * Goes on with what an interrupted rebuild left behind, instead of beginning anew. Only when it was built by the same handlers:
   * the runtime cannot tell. Default false.
   */
  readonly resume?: boolean
  /** Keeps the old tables, so that `switchBack` can put them in place again. Default false. */
  readonly keepOld?: boolean
  /** Reads no more than so many events a second in this process. Default: as fast as it goes. */
  readonly eventsPerSecond?: number
  /** Puts the new view in place when no more than so many events are missing: these are applied while the old one is held. Default 1,000. */
  readonly maxLag?: number
}

/** What a rebuild works with. */
export interface RebuildContext extends RebuildOptions {
  readonly projection: BoundProjection
  readonly store: ReadModels
  readonly eventLog: EventLog
  readonly logger: Logger
}

/** Rebuilds a projection that has a table or SQL of its own. */
export async function rebuild(given: RebuildContext): Promise<RebuildProgress> {
  const { projection, store, signal } = given
  const meter = new ProgressMeter(projection.name, given.onProgress)
  const { resume = false, keepOld = false, maxLag = 1000, logger } = given
  const isSql = projection.target.kind === 'sql'
  const build = await store[isSql ? 'buildSql' : 'buildTable'](projection, { resume, keepOld })
  if (build === undefined) {
    if (keepOld) throw cannotKeep(projection.name)
    logger.warn({ projection: projection.name }, oneTransaction(projection.name))
    await store.rebuildSql(projection, (open) => replay(given, meter, { open }))
    return meter.finish()
  }
  const cancelling = watchCancelling(build, projection.name)
  const signals = signal === undefined ? [cancelling.signal] : [signal, cancelling.signal]
  const context = { ...given, signal: AbortSignal.any(signals) }
  try {
    const open = isSql ? (build as SqlBuild).open : foldingInto(projection, build as ViewBuild)
    // Together with all who rebuild it at the same time, until there is little left to do; then one of them puts it in place.
    do await replay(context, meter, { open, build })
    while ((await missing(context, meter)) > maxLag)
    await publish(context, build, (old) => replay(context, meter, { open, until: old }))
    return meter.finish()
  } catch (error) {
    // Those who were faster took the table from under our hands.
    if (await build.published()) return meter.finish()
    throw error
  } finally {
    cancelling.end()
    await build.close(context.signal.aborted)
  }
}

function foldingInto(projection: BoundProjection, build: ViewBuild): OpenSession {
  return async (partitions, listener, suspects) =>
    new TableSession(projection, await build.open(partitions), listener, suspects, whileRebuilding)
}

const nothingBeside =
  'its setup makes nothing under a name without a schema, or functions or types, or its user may not create schemas'

function oneTransaction(name: string): string {
  return `Projection ${name} is rebuilt in one transaction, during which it stands still and which a crash undoes: ${nothingBeside}`
}

function cannotKeep(projection: string): NarrativeError<'STARTUP_FAULTS'> {
  return new NarrativeError('STARTUP_FAULTS', {
    message: `The old view of projection ${projection} cannot be kept, because no new one can be built beside it: ${nothingBeside}. Put that right, or rebuild it without keepOld.`,
    details: { projection },
  })
}

/** Looks every second whether somebody cancelled the build from elsewhere. */
function watchCancelling(build: Build, projection: string) {
  const cancelling = new AbortController()
  const timer = setInterval(async () => {
    // A look that fails says nothing; the rebuild itself finds out what is wrong.
    if (await build.cancelled().catch(() => false)) cancelling.abort(rebuildCancelled(projection))
  }, 1000)
  return { signal: cancelling.signal, end: () => clearInterval(timer) }
}

/** How many offsets the log went on since. */
async function missing({ eventLog, projection }: RebuildContext, meter: ProgressMeter): Promise<number> {
  const ends = await Promise.all(projection.categories.map((category) => eventLog.partitions(category)))
  return ends.flat().reduce((sum, partition) => sum + Math.max(0, partition.end - meter.offsetOf(partition)), 0)
}

/** A reader that holds the old table for long, or a lost connection, must not cost the whole build. */
async function publish(
  { projection, logger, signal }: RebuildContext,
  build: Build,
  catchUp: Parameters<Build['publish']>[0],
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

/** Into what, and how far: until the log's present end, or until the given checkpoints. */
interface ReplayTarget {
  readonly open: OpenSession
  /** Shared with others; without it, all partitions are replayed here. */
  readonly build?: Build
  readonly until?: readonly Checkpoint[]
}

async function replay(
  { projection, store, eventLog, logger, signal, eventsPerSecond }: RebuildContext,
  meter: ProgressMeter,
  { open, build, until }: ReplayTarget,
): Promise<void> {
  const ending = until === undefined ? eventLog : endingAt(eventLog, until)
  const log = eventsPerSecond === undefined ? ending : throttled(ending, eventsPerSecond)
  const follower = new Follower({
    ...{ name: projection.name, categories: projection.categories, onFailure: projection.onFailure },
    ...{ clock: projection.clock, eventLog: log, logger, open, replayed: true, breaker: store.breaker },
    ...(build?.group !== undefined && {
      share: (all, onAssigned) => shareWork(eventLog, { ...projection, group: build.group! }, all, onAssigned),
      checkpoints: () => build.checkpoints(),
    }),
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

/** The same log, at a pace. */
function throttled(eventLog: EventLog, eventsPerSecond: number): EventLog {
  return {
    partitions: (category) => eventLog.partitions(category),
    async *subscribe(options) {
      let due = performance.now()
      for await (const batch of eventLog.subscribe(options)) {
        const wait = due - performance.now()
        // An abort ends the pause; the subscription then ends by itself.
        if (wait > 0) await delay(wait, undefined, { signal: options.signal }).catch(() => {})
        due = Math.max(due, performance.now()) + (1000 * batch.events.length) / eventsPerSecond
        yield batch
      }
    },
  }
}
