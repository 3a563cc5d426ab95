// What a caller gets back from a command.
import type { Position } from '../messages/position.js'

/** The outcome of a command. */
export interface CommandResult<E extends object = object> {
  readonly aggregateId: string
  /** The version of the stream after the command. */
  readonly version: number
  /** Position of the last event; undefined when the command led to none. Queries take it as `after`. */
  readonly position: Position | undefined
  /** The events, in order; empty when there was nothing to do. */
  readonly events: readonly E[]
  readonly commandId: string
  /** True when this command id had been carried out before, and this is the answer of that time. */
  readonly duplicate: boolean
}
