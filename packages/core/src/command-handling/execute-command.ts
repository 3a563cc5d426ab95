// One command, from load to append. The retry on a version conflict is the loop you see here.
import type { AggregateDefinition, CommandContext, Decision, ServiceId } from '../definition/aggregate-definition.js'
import { NarrativeError } from '../errors/narrative-error.js'
import type { Clock } from '../event-store/clock.js'
import type { Appended } from '../event-store/event-store.js'
import type { NewEvent } from '../event-store/recorded-event.js'
import type { MessageMetadata } from '../messages/metadata.js'
import { aggregateIdOf, type StreamId } from '../messages/stream-id.js'
import type { Cancellation } from './cancellation.js'
import type { CommandResult } from './command-result.js'
import { type AggregateSource, type KnownStates, loadAggregate } from './load-aggregate.js'
import type { LoadedAggregate } from './loaded-aggregate.js'

/** What executing needs of its application. */
export interface ExecutionEnvironment extends AggregateSource, KnownStates {
  readonly clock: Clock
  service<T>(id: ServiceId<T>): T
}

/** One command on its way. */
export interface Execution {
  readonly definition: AggregateDefinition
  readonly streamId: StreamId
  readonly command: object
  readonly commandName: string
  readonly metadata: MessageMetadata
  /** The version the caller insists on; undefined when any will do. */
  readonly expectedVersion: number | undefined
  /** Whether the caller chose the command id, so that it may have been here before. */
  readonly mayBeRepeated: boolean
  readonly cancellation: Cancellation
}

const attempts = 10

/**
 * Loads, decides, appends; on a conflict, loads and decides again.
 *
 * @throws NarrativeError `VERSION_CONFLICT`, `COMMAND_EXPIRED`, `COMMAND_ABORTED`, `EVENT_FOREIGN`, `EVENT_UNENCODABLE`,
 * whatever the store throws, and the handler's own errors as they are
 */
export async function executeCommand(environment: ExecutionEnvironment, execution: Execution): Promise<CommandResult> {
  const { eventStore } = environment
  const { definition, streamId, metadata, cancellation } = execution

  if (execution.mayBeRepeated) {
    const earlier = await eventStore.findCommand(streamId, metadata.commandId)
    if (earlier !== undefined) return answerAgain(environment, execution, earlier)
  }
  for (let attempt = 1; ; attempt++) {
    cancellation.check()
    // 1. Load.
    const loaded = await loadAggregate(environment, definition, streamId)
    if (execution.expectedVersion !== undefined && execution.expectedVersion !== loaded.version) {
      throw versionConflict(execution, execution.expectedVersion, loaded.version)
    }
    // 2. Decide.
    const events = await decide(environment, execution, loaded)
    if (events.length === 0) return resultOf(execution, loaded.version)
    const encoded = events.map((event) => encodeOwnEvent(environment, execution, event))
    cancellation.check()
    // 3. Append.
    const appending = eventStore.append(streamId, encoded, { expectedVersion: loaded.version, metadata })
    environment.storedSnapshots?.save(definition, streamId, loaded.from, loaded) // while the append is on its way
    const result = await appending
    if (result.outcome === 'appended') {
      if (result.duplicate) return answerAgain(environment, execution, result)
      return resultOf(execution, result.version, result, events)
    }
    // 4. Somebody else appended first: load what they appended, and decide again.
    if (execution.expectedVersion !== undefined || attempt === attempts) {
      throw versionConflict(execution, execution.expectedVersion ?? loaded.version, result.actualVersion)
    }
    await backoff(attempt)
  }
}

async function decide(
  environment: ExecutionEnvironment,
  execution: Execution,
  loaded: LoadedAggregate,
): Promise<readonly object[]> {
  const { cancellation } = execution
  const context: CommandContext = {
    streamId: execution.streamId,
    version: loaded.version,
    metadata: execution.metadata,
    clock: environment.clock,
    get signal() {
      return cancellation.signal
    },
    service: environment.service,
  }
  const decision = execution.definition.decide(loaded.state, execution.command, context)
  const settled =
    decision instanceof Promise ? await cancellation.guard(decision) : (decision as Exclude<Decision, Promise<unknown>>)
  return settled === undefined || settled === null ? [] : Array.isArray(settled) ? settled : [settled]
}

function encodeOwnEvent(
  { codec }: ExecutionEnvironment,
  { definition, commandName }: Execution,
  event: object,
): NewEvent {
  const encoded = codec.encode(event)
  if (!definition.events.some((type) => type.name === encoded.type)) {
    throw new NarrativeError('EVENT_FOREIGN', {
      message: `The handler of ${commandName} returned event ${encoded.type}, which aggregate ${definition.category} has no @EventHandler for; add one to it.`,
      details: { command: commandName, type: encoded.type, category: definition.category },
    })
  }
  return encoded
}

async function answerAgain(
  { eventStore, codec }: ExecutionEnvironment,
  execution: Execution,
  earlier: Appended,
): Promise<CommandResult> {
  const events: object[] = []
  for await (const recorded of eventStore.read(execution.streamId, {
    from: earlier.firstVersion,
    to: earlier.version,
  })) {
    events.push(codec.decode(recorded))
  }
  return resultOf(execution, earlier.version, { ...earlier, duplicate: true }, events)
}

function resultOf(
  execution: Execution,
  version: number,
  appended?: Appended,
  events: readonly object[] = [],
): CommandResult {
  return {
    aggregateId: aggregateIdOf(execution.streamId),
    version,
    position: appended?.position,
    events,
    commandId: execution.metadata.commandId,
    duplicate: appended?.duplicate ?? false,
  }
}

function versionConflict({ streamId, commandName }: Execution, expected: number, actual: number): NarrativeError {
  return new NarrativeError('VERSION_CONFLICT', {
    message: `Command ${commandName} expected stream ${streamId} at version ${expected}, but it is at version ${actual}. Read it again and decide anew.`,
    details: { streamId, expectedVersion: expected, actualVersion: actual },
  })
}

/** Full jitter, from 1 ms up to 128 ms. */
function backoff(attempt: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.random() * 2 ** Math.min(attempt, 7)))
}
