// The part of an application that keeps read models up to date.
import {
  type ApplicationPart,
  type EventLog,
  type Finding,
  type Logger,
  NarrativeError,
  type PartContext,
  type Position,
} from '@narrative/core'
import type { Container } from 'inversify'
import { type ProjectionLike, readProjection } from '../decorators/read-projection.js'
import { type BoundProjection, bindProjection } from '../definition/bind-projection.js'
import { type ProjectionDefinition, tablesOf } from '../definition/projection-definition.js'
import { muteWhileReplaying } from '../definition/side-effects.js'
import type { DeadLetters } from '../failures/dead-letter.js'
import { type MemoryReadModels, memoryReadModels } from '../memory/memory-read-models.js'
import { logAsOf, type Moment } from '../runtime/log-as-of.js'
import type { RebuildProgress } from '../runtime/progress-meter.js'
import type { ReadModels } from '../runtime/read-models.js'
import { type RebuildOptions, rebuild } from '../runtime/rebuild.js'
import { rebuildRow } from '../runtime/rebuild-row.js'
import { overviewOf, type ProjectionOverview } from './overview.js'
import { findProjection, isNamed, ProjectionRunner } from './projection-runner.js'
import type { ProjectionStatus } from './projection-status.js'
import { type QueriedView, ViewElsewhere } from './view-elsewhere.js'

/** Where and how the projections of an application run. */
export interface ProjectionsOptions {
  /** `postgresReadModels({ url })` or `memoryReadModels()`. */
  readonly store: ReadModels
  /** False: do not follow the log; only rebuild, and read. For tools that stand beside the running service. Default true. */
  readonly follow?: boolean
}

/** The projections of an application. */
export interface Projections extends ApplicationPart {
  /** What they are, once the application has started. */
  readonly definitions: readonly ProjectionDefinition[]
  /**
   * Resolves when everything that was in the log at the start has been applied, by all projections or by one.
   * @throws NarrativeError `PROJECTION_STOPPED`, `CHECKPOINT_MOVED`, `PROJECTION_UNKNOWN`
   */
  ready(projection?: ProjectionLike | string): Promise<void>
  /** What a start would meet where the read models are kept; changes nothing. For a doctor beside the running service. */
  inspect(): Promise<readonly Finding[]>
  /** What each projection that is followed here is doing. */
  status(): readonly ProjectionStatus[]
  /**
   * The events that a projection could not apply, and those that wait behind them.
   *
   * `ask('redrive', { key })` applies them again, in order, decoded and upcast anew; `ask('skip', { position })` forgets one.
   * A projection that had stopped goes on.
   * @throws NarrativeError `PROJECTION_UNKNOWN`
   */
  deadLetters(projection: ProjectionLike | string): DeadLetters
  /**
   * Builds a projection again from offset 0. Readers keep the old view until the new one is level with it; then one transaction switches.
   *
   * A table projection is built beside the old one, which goes on being updated. So is a free-SQL projection, in a schema of its own,
   * unless its statements name theirs: then it is rebuilt in one transaction, during which it stands still. A memory projection with state of its own is emptied by its method `reset()` and replayed in place.
   *
   * Called in several processes at the same time, they share the partitions of a table between them, and all return when it is done.
   *
   * @param projection its class, its definition or its name
   * @throws NarrativeError `PROJECTION_UNKNOWN`, `REBUILD_UNDER_WAY`, `PROJECTION_STOPPED`
   */
  rebuild(projection: ProjectionLike | string, options?: RebuildOptions): Promise<RebuildProgress>
  /**
   * Puts the table that `rebuild(…, { keepOld: true })` kept in place again. It goes on from where it stood.
   * @throws NarrativeError `PROJECTION_UNKNOWN`, `NOTHING_KEPT`
   */
  switchBack(projection: ProjectionLike | string): Promise<void>
  /**
   * Ends a rebuild, whichever processes are at it (`REBUILD_CANCELLED` there), and throws away what was built, also what a crash left.
   * @returns false when there is none
   */
  cancelRebuild(projection: ProjectionLike | string): Promise<boolean>
  /**
   * Makes one row of a table anew from the whole history of its key, and settles its dead letters; everything else goes on. It reads
   * the log from offset 0.
   * @param key as the table has it: the value of its key column, or an object of several
   */
  rebuildRow(projection: ProjectionLike | string, key: unknown): Promise<void>
  /** Has all its workers stand still, in every process, until {@link resume}. Kept over restarts. */
  pause(projection: ProjectionLike | string): Promise<void>
  /** Lets its workers go on; those that had stopped try again. */
  resume(projection: ProjectionLike | string): Promise<void>
  /**
   * Empties its view where it stands; its workers fill it again from offset 0. Readers see that: {@link rebuild} is the way they do not.
   */
  reset(projection: ProjectionLike | string): Promise<void>
  /** Everything there is to know of a projection, from any process. Takes up to two seconds when it is behind. */
  overview(projection: ProjectionLike | string): Promise<ProjectionOverview>
  /**
   * A table projection as it was: the log up to that moment is folded into a scratch view in memory, which nobody else sees
   * and nothing updates. What it takes is time and memory for the whole of that past.
   *
   * @throws NarrativeError `PROJECTION_UNKNOWN`, `PROJECTION_STOPPED`, `POSITION_INVALID`
   * @throws TypeError when the projection has no table
   * @example
   * ```ts
   * const then = await views.asOf(OrdersView, { asOf: new Date('2026-01-01T00:00:00Z') })
   * const order = await then.reader(orders).findByKey(orderId)
   * ```
   */
  asOf(projection: ProjectionLike | string, moment: Moment, options?: RebuildOptions): Promise<ScratchView>
}

/** A view that was made for one look: by the reader that query handlers use, or row by row. */
export type ScratchView = Pick<MemoryReadModels, 'reader' | 'rows'>

/**
 * The projections of an application: give it to `createApplication({ parts: [...] })`.
 *
 * Classes are made by the container (one instance each), and so are readers: `@inject(orders.reader)`.
 *
 * @example
 * ```ts
 * const views = projections([OrdersView], { store: postgresReadModels({ url }) })
 * const app = await createApplication({ aggregates: [Order], eventStore, parts: [views] })
 * await views.rebuild(OrdersView, { onProgress: ({ events, total }) => console.log(`${events}/${total}`) })
 * ```
 */
export function projections(
  classes: readonly ProjectionLike[],
  { store, follow = true }: ProjectionsOptions,
): Projections {
  let bound: readonly BoundProjection[] = []
  let runners: readonly ProjectionRunner[] = []
  let views: readonly QueriedView[] = []
  let logger: Logger
  let log: EventLog | undefined
  const named = (projection: ProjectionLike | string) => findProjection(bound, projection)
  const runnerOf = (projection: BoundProjection) => runners.find((runner) => runner.projection === projection)
  const controlOf = (projection: BoundProjection) => runnerOf(projection)?.control ?? store.control
  const openLog = ({ name }: BoundProjection): EventLog => {
    if (log !== undefined) return log
    throw refused([`Projection ${name} can be rebuilt or looked at once the application has started.`])
  }
  /** Workers elsewhere hear of it within a second; ours at once. */
  const change = async (projection: ProjectionLike | string, work: (found: BoundProjection) => Promise<void>) => {
    const found = named(projection)
    await work(found)
    await runnerOf(found)?.lookUp()
  }
  /** Undefined when it is none of these. */
  const chosen = (readModel: object | undefined): readonly QueriedView[] | undefined => {
    const found = readModel === undefined ? views : views.filter(({ projection }) => isNamed(projection, readModel))
    return found.length === 0 ? undefined : found
  }

  return {
    name: 'projections',
    get definitions() {
      return bound.map(({ definition }) => definition)
    },
    prepare(context) {
      logger = context.logger
      const readings = classes.map(readProjection)
      const bindings = readings.map(({ definition }) =>
        bindProjection(
          definition,
          { ...context, reread: (record) => log?.reread?.(record) },
          instanceFrom(context.container, definition),
        ),
      )
      bound = bindings.map((binding) => binding.bound)
      bindServices(
        context,
        readings.map((reading) => reading.definition),
        store,
      )
      return [
        ...[...readings, ...bindings].flatMap(({ faults }) => faults),
        ...faultsAmong(
          readings.map((reading) => reading.definition),
          store,
        ),
      ]
    },
    async start(eventLog) {
      log = eventLog
      if (!follow) {
        views = bound.map((projection) => new ViewElsewhere(projection, store, eventLog))
        return
      }
      const faults = await store.setup(bound, logger)
      if (faults.length > 0) throw refused(faults)
      runners = bound.map((projection) => new ProjectionRunner(projection, store, eventLog, logger))
      views = runners
      await Promise.all(runners.map((runner) => runner.start()))
    },
    async stop() {
      await Promise.all(views.map((view) => view.stop()))
      await store.close()
    },
    health() {
      const reasons = runners.flatMap((runner) => runner.health().reasons)
      return { ready: reasons.length === 0, reasons }
    },
    inspect: async () => (await store.inspect?.(bound)) ?? [],
    status: () => runners.map((runner) => runner.status()),
    deadLetters(projection) {
      const found = named(projection)
      return runnerOf(found)?.deadLetters ?? store.letters(found)
    },
    waitFor(position: Position, { readModel, timeout }) {
      const waits = chosen(readModel)?.map((view) => view.waitFor(position, timeout))
      return waits && Promise.all(waits).then(() => {})
    },
    watch(watcher, readModel) {
      const unwatch = chosen(readModel)?.map((view) => view.watch(watcher))
      if (unwatch === undefined) return undefined
      return () => {
        for (const each of unwatch) each()
      }
    },
    async ready(projection) {
      const wanted =
        projection === undefined ? runners : runners.filter((runner) => runner.projection === named(projection))
      await Promise.all(wanted.map((runner) => runner.caughtUp()))
    },
    switchBack: (projection) => change(projection, (found) => store.switchBack(found)),
    async rebuildRow(projection, key) {
      const found = named(projection)
      await rebuildRow({ projection: found, store, eventLog: openLog(found) }, key)
    },
    cancelRebuild: async (projection) => controlOf(named(projection)).cancelBuild(named(projection).name),
    pause: (projection) => change(projection, (found) => controlOf(found).setPaused(found.name, true)),
    resume: (projection) => change(projection, (found) => controlOf(found).setPaused(found.name, false)),
    async reset(projection) {
      const runner = runnerOf(named(projection))
      if (named(projection).target.kind === 'memory') await runner?.replayInPlace({})
      else await change(projection, (found) => store.reset(found))
    },
    async overview(projection) {
      const found = named(projection)
      return overviewOf(found, controlOf(found), openLog(found))
    },
    async rebuild(projection, options = {}) {
      const found = named(projection)
      const eventLog = openLog(found)
      if (found.target.kind !== 'memory') return rebuild({ projection: found, store, eventLog, logger, ...options })
      const runner = runnerOf(found)
      if (runner === undefined)
        throw refused([`Projection ${found.name} keeps its state in the process that follows it; rebuild it there.`])
      return runner.replayInPlace(options)
    },
    async asOf(projection, moment, options = {}) {
      const found = named(projection)
      if (tablesOf(found.target).length === 0)
        throw new TypeError(
          `Projection ${found.name} has no table; only a table projection can be looked at as it was.`,
        )
      const eventLog = await logAsOf(openLog(found), found.categories, moment)
      const scratch = memoryReadModels()
      await rebuild({ projection: found, store: scratch, eventLog, logger, ...options })
      return scratch
    },
  }
}

/** One instance per application, made when it is first needed: services may be bound until then. */
function instanceFrom(container: Container, { projectionClass, sideEffects }: ProjectionDefinition): () => unknown {
  let instance: object | undefined
  return () => {
    if (projectionClass !== undefined && instance === undefined) {
      instance = container.get<object>(projectionClass as never)
      muteWhileReplaying(instance, sideEffects)
    }
    return instance
  }
}

function bindServices(
  { container }: PartContext,
  definitions: readonly ProjectionDefinition[],
  store: ReadModels,
): void {
  for (const { projectionClass, target } of definitions) {
    if (projectionClass !== undefined && !container.isBound(projectionClass)) {
      container
        .bind(projectionClass)
        .to(projectionClass as never)
        .inSingletonScope()
    }
    for (const table of tablesOf(target))
      if (!container.isBound(table.reader)) container.bind(table.reader).toConstantValue(store.reader(table))
  }
}

/** What only shows when projections stand side by side. */
function faultsAmong(definitions: readonly ProjectionDefinition[], store: ReadModels): string[] {
  const faults: string[] = []
  const names = new Set<string>()
  const tables = new Map<string, string>()
  for (const { name, target } of definitions) {
    if (names.has(name)) faults.push(`Two projections are called ${name}. The name is storage and belongs to one.`)
    names.add(name)
    if (target.kind === 'sql' && !store.sql) {
      faults.push(
        `Projection ${name} has SQL of its own, which ${store.name} read models cannot run; use postgresReadModels.`,
      )
    }
    // Twice in one projection is a fault of its own.
    for (const table of new Set(tablesOf(target).map((each) => each.name))) {
      const owner = tables.get(table)
      if (owner !== undefined)
        faults.push(`Table ${table} belongs to two projections: ${owner} and ${name}. A table is written by one.`)
      tables.set(table, name)
    }
  }
  return faults
}

function refused(faults: readonly string[]): NarrativeError<'STARTUP_FAULTS'> {
  const list = faults.map((fault) => `  - ${fault}`).join('\n')
  return new NarrativeError('STARTUP_FAULTS', {
    message: `The projections cannot start:\n${list}`,
    details: { faults },
  })
}
