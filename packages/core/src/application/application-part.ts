// The port by which other packages (projections, later process managers) live inside an application.
import type { Container } from 'inversify'
import type { EventCodec } from '../codec/event-codec.js'
import type { AggregateDefinition } from '../definition/aggregate-definition.js'
import type { Clock } from '../event-store/clock.js'
import type { EventLog } from '../event-store/event-log.js'
import type { Health } from '../event-store/event-storage.js'
import type { Logger } from '../event-store/logger.js'
import type { Position } from '../messages/position.js'
import type { ReadModelWatcher } from '../query-handling/live-query.js'

/** What a part may use. */
export interface PartContext {
  readonly aggregates: readonly AggregateDefinition[]
  /** The definition behind a class or a decider, when it is one of this application's. */
  definitionOf(aggregate: object): AggregateDefinition | undefined
  readonly codec: EventCodec
  readonly container: Container
  readonly clock: Clock
  readonly logger: Logger
}

/** Something an application starts and stops beside its buses. */
export interface ApplicationPart {
  readonly name: string
  /** Everything wrong with its configuration, a sentence each; called once, before anything is started. */
  prepare(context: PartContext): readonly string[]
  start(eventLog: EventLog): Promise<void>
  /** Finishes the batch under way and stops. */
  stop(): Promise<void>
  health(): Health
  /**
   * Resolves when its read models contain the event at `position` (at once when they do not follow that topic).
   * @param readModel only this one (a class), default all of the part
   * @param timeout milliseconds
   * @returns undefined when the part has no such read model
   * @throws NarrativeError `READ_MODEL_BEHIND`, `READ_MODEL_UNFOLLOWED`, `PROJECTION_STOPPED`
   */
  waitFor?(
    position: Position,
    options: { readonly readModel?: object; readonly timeout: number },
  ): Promise<void> | undefined
  /**
   * Tells whenever its read models contain more events, and when they will contain no more; the function returned ends that.
   * @param readModel only this one (a class), default all of the part
   * @returns undefined when the part has no such read model
   */
  watch?(watcher: ReadModelWatcher, readModel?: object): (() => void) | undefined
}
