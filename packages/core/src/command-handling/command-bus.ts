// The way in for commands: middleware, validation, the route to the aggregate.
import { randomUUID } from 'node:crypto'
import type { CommandDefinition } from '../definition/aggregate-definition.js'
import { commandUnknown, type DefinitionRegistry } from '../definition/definition-registry.js'
import type { EventsOf } from '../messages/message-class.js'
import type { MessageMetadata } from '../messages/metadata.js'
import { currentMetadata } from './ambient-metadata.js'
import type { CommandResult } from './command-result.js'
import { type CommandValidator, commandInvalid } from './command-validator.js'
import { violationsInJson } from './from-json.js'
import type { CarryOut } from './local-execution.js'

/** What a caller may say about a command. */
export interface CommandOptions {
  /** Identifies the command: sent again under the same id, it acts once and gives the same answer. Default a new UUID. */
  readonly commandId?: string
  /** Refuse with `VERSION_CONFLICT` unless the stream is at this version; 0 means it must not exist. */
  readonly expectedVersion?: number
  /** Refuse with `COMMAND_EXPIRED` from this instant on: a Date, or milliseconds since 1970 UTC. */
  readonly deadline?: Date | number
  readonly signal?: AbortSignal
  readonly correlationId?: string
  /** The id of the event or message that led to this command. */
  readonly causationId?: string
  /** W3C trace context. */
  readonly traceparent?: string
}

/** What middleware may know of the command passing through it. */
export interface CommandInfo {
  readonly name: string
  readonly category: string
  readonly metadata: MessageMetadata
}

/** Wraps the execution of every command. Call `next` once, more often (to retry), or not at all (to refuse, by throwing). */
export type CommandMiddleware = (
  command: object,
  next: () => Promise<CommandResult>,
  info: CommandInfo,
) => Promise<CommandResult>

/** Carries out commands. */
export interface CommandBus {
  /**
   * @throws NarrativeError `COMMAND_UNKNOWN`, `COMMAND_INVALID`, `COMMAND_EXPIRED`, `COMMAND_ABORTED`, `VERSION_CONFLICT`,
   * `STREAM_ID_INVALID`, `EVENT_FOREIGN`, `EVENT_UNENCODABLE`, and whatever the event store throws
   * @throws the handler's own errors, as they are
   */
  execute<C extends object>(command: C, options?: CommandOptions): Promise<CommandResult<EventsOf<C>>>
}

/** What the bus is made of. */
export interface CommandBusParts {
  readonly registry: DefinitionRegistry
  readonly carryOut: CarryOut
  readonly validator: CommandValidator
  readonly middleware: readonly CommandMiddleware[]
}

export function createCommandBus({ registry, carryOut, validator, middleware }: CommandBusParts): CommandBus {
  async function run(command: object, options: CommandOptions): Promise<CommandResult> {
    const route = registry.routeOf(command)
    if (route === undefined) throw commandUnknown(nameOf(command))
    const metadata = metadataOf(options)
    const innermost = async () => {
      await check(validator, command, route.command)
      const { commandId, deadline, expectedVersion, signal } = options
      return carryOut({
        route,
        command,
        metadata,
        expectedVersion,
        deadline: deadline instanceof Date ? deadline.getTime() : deadline,
        signal,
        mayBeRepeated: commandId !== undefined,
      })
    }
    const info = { name: route.command.name, category: route.aggregate.category, metadata }
    return middleware.reduceRight<() => Promise<CommandResult>>(
      (next, wrap) => () => wrap(command, next, info),
      innermost,
    )()
  }

  return { execute: (command, options = {}) => run(command, options) as Promise<CommandResult<never>> }
}

function metadataOf(options: CommandOptions): MessageMetadata {
  const ambient = currentMetadata()
  const commandId = options.commandId ?? randomUUID()
  const traceparent = options.traceparent ?? ambient.traceparent
  return {
    commandId,
    correlationId: options.correlationId ?? ambient.correlationId ?? commandId,
    causationId: options.causationId ?? ambient.causationId ?? commandId,
    ...(traceparent === undefined ? {} : { traceparent }),
  }
}

async function check(validator: CommandValidator, command: object, definition: CommandDefinition): Promise<void> {
  const answer = validator.validate(command, definition)
  const violations = [...violationsInJson(command), ...(answer instanceof Promise ? await answer : answer)]
  if (violations.length > 0) throw commandInvalid(definition.name, violations)
}

function nameOf(command: object): string {
  return String((command as { type?: unknown }).type ?? command.constructor?.name ?? typeof command)
}
