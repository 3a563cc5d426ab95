// All definitions of one application, with the faults that only show when they stand side by side.
import type { EventType } from '../codec/event-type.js'
import { NarrativeError } from '../errors/narrative-error.js'
import type { AggregateDefinition, CommandDefinition } from './aggregate-definition.js'
import { eventTypeFaults } from './event-type-faults.js'

/** A command and the aggregate that handles it. */
export interface CommandRoute {
  readonly command: CommandDefinition
  readonly aggregate: AggregateDefinition
}

/** Who handles what. */
export interface DefinitionRegistry {
  /** The route of a command object, by its class or its `type`. */
  routeOf(command: object): CommandRoute | undefined
  /**
   * The route of a command by its stable name.
   * @throws NarrativeError `COMMAND_UNKNOWN`
   */
  routeNamed(name: string): CommandRoute
  readonly eventTypes: readonly EventType[]
  readonly faults: readonly string[]
}

/** Nobody here handles it. */
export function commandUnknown(name: string): NarrativeError {
  return new NarrativeError('COMMAND_UNKNOWN', {
    message: `No aggregate of this application handles ${name}. Give the command’s class a @CommandHandler, and its aggregate to createApplication({ aggregates }).`,
    details: { command: name },
  })
}

/** Puts definitions side by side and finds names used twice. */
export function createRegistry(definitions: readonly AggregateDefinition[]): DefinitionRegistry {
  const faults: string[] = []
  const routes = new Map<unknown, CommandRoute>()
  const commandNames = new Map<string, CommandRoute>()
  const eventTypes = new Map<string, EventType>()
  const categories = new Set<string>()

  for (const aggregate of definitions) {
    if (categories.has(aggregate.category)) faults.push(`Two aggregates have the category ${aggregate.category}.`)
    categories.add(aggregate.category)
    for (const command of aggregate.commands) {
      const earlier = commandNames.get(command.name)
      if (earlier !== undefined) {
        faults.push(
          `Command ${command.name} is handled by two: ${earlier.aggregate.category} and ${aggregate.category}. A command has one handler.`,
        )
        continue
      }
      const route = { command, aggregate }
      commandNames.set(command.name, route)
      routes.set(command.messageClass ?? command.name, route)
    }
    for (const type of aggregate.events) {
      const earlier = eventTypes.get(type.name)
      if (earlier !== undefined && (earlier.eventClass !== type.eventClass || type.eventClass === undefined)) {
        faults.push(
          `The event name ${type.name} is used twice${type.eventClass ? `: by ${earlier.eventClass?.name ?? 'a decider'} and by ${type.eventClass.name}` : ''}. A name is storage and belongs to one event.`,
        )
      }
      if (type.eventClass === undefined) faults.push(...eventTypeFaults(type))
      eventTypes.set(type.name, type)
    }
  }
  return {
    routeOf: (command) => routes.get(command.constructor) ?? routes.get((command as { type?: unknown }).type),
    routeNamed(name) {
      const route = commandNames.get(name)
      if (route === undefined) throw commandUnknown(name)
      return route
    },
    eventTypes: [...eventTypes.values()],
    faults,
  }
}
