// Carries commands out in this instance, one at a time per stream.
import type { CommandRoute } from '../definition/definition-registry.js'
import type { MessageMetadata } from '../messages/metadata.js'
import { toStreamId } from '../messages/stream-id.js'
import { Cancellation } from './cancellation.js'
import type { CommandResult } from './command-result.js'
import { type ExecutionEnvironment, executeCommand } from './execute-command.js'
import { StreamQueue } from './stream-queue.js'

/** A command with everything decided about it but its outcome. */
export interface CommandOrder {
  readonly route: CommandRoute
  readonly command: object
  readonly metadata: MessageMetadata
  readonly expectedVersion: number | undefined
  /** Milliseconds since 1970 UTC. */
  readonly deadline: number | undefined
  readonly signal: AbortSignal | undefined
  /** Whether its id may have been here before. */
  readonly mayBeRepeated: boolean
}

/** Carries out a command that was validated. */
export type CarryOut = (order: CommandOrder) => Promise<CommandResult>

export function createLocalExecution(environment: ExecutionEnvironment): CarryOut {
  const queue = new StreamQueue()
  return ({ route, command, metadata, expectedVersion, mayBeRepeated, deadline, signal }) => {
    const { aggregate, command: type } = route
    const streamId = toStreamId(aggregate.category, aggregate.identify(command))
    // Each by its name: V8 copies "the rest" of an object so slowly that it took a fifth of a dispatch.
    const execution = {
      metadata,
      expectedVersion,
      mayBeRepeated,
      definition: aggregate,
      streamId,
      command,
      commandName: type.name,
      cancellation: new Cancellation(type.name, environment.clock, deadline, signal),
    }
    return queue.run(streamId, () => executeCommand(environment, execution))
  }
}
