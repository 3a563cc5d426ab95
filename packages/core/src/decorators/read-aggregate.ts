// Reads the marks of an aggregate class, once, into its plain definition.
import type { EventType } from '../codec/event-type.js'
import type { AggregateDefinition, CommandDefinition } from '../definition/aggregate-definition.js'
import { eventTypeFaults } from '../definition/event-type-faults.js'
import type { Class } from '../messages/message-class.js'
import { isCategory } from '../messages/stream-id.js'
import { eventTypeOf } from './event-type-of.js'
import { getAggregateIdMarks, getHandlerMarks, getMark } from './marks.js'
import { readSnapshots } from './read-snapshots.js'

/** A definition, or all that is wrong with the class. */
export interface AggregateReading {
  readonly definition: AggregateDefinition
  readonly faults: readonly string[]
}

type Methods = Record<string | symbol, (...args: unknown[]) => unknown>

/** Reads a class marked with `@Aggregate`. */
export function readAggregate(aggregate: Class): AggregateReading {
  const faults: string[] = []
  const mark = getMark('aggregate', aggregate)
  if (mark === undefined) faults.push(`Class ${aggregate.name} is not marked with @Aggregate(category).`)
  const category = mark?.category ?? aggregate.name.toLowerCase()
  if (!isCategory(category)) {
    faults.push(
      `The category ${JSON.stringify(category)} of ${aggregate.name} must be lower-case letters, digits, "_" and ".", a letter first.`,
    )
  }
  if (aggregate.length > 0) {
    faults.push(
      `The constructor of aggregate ${aggregate.name} takes parameters; an aggregate is made empty and follows from its events. Services come with the command context.`,
    )
  }

  const commands = new Map<
    unknown,
    { definition: CommandDefinition; method: string | symbol; idProperty: string | symbol }
  >()
  for (const handler of getHandlerMarks('commandHandlers', aggregate)) {
    const { messageClass } = handler
    const earlier = commands.get(messageClass)
    if (earlier !== undefined && earlier.method !== handler.method) {
      faults.push(
        `${aggregate.name} handles command ${messageClass.name} twice: in ${String(earlier.method)} and in ${String(handler.method)}.`,
      )
      continue
    }
    const command = getMark('command', messageClass)
    if (command === undefined)
      faults.push(
        `${aggregate.name}.${String(handler.method)} handles ${messageClass.name}, which is not marked with @Command(name).`,
      )
    else if (command.name.trim() === '') faults.push(`The command name of ${messageClass.name} is empty.`)
    const ids = getAggregateIdMarks(messageClass)
    if (ids.length !== 1) {
      faults.push(
        `Command ${messageClass.name} must mark exactly one property with @AggregateId(), but marks ${ids.length === 0 ? 'none' : ids.map(String).join(' and ')}.`,
      )
    }
    commands.set(messageClass, {
      definition: { name: command?.name ?? messageClass.name, messageClass, schema: command?.schema },
      method: handler.method,
      idProperty: ids[0] ?? 'id',
    })
  }

  const events = new Map<unknown, { type: EventType; method: string | symbol }>()
  for (const handler of getHandlerMarks('eventHandlers', aggregate)) {
    const earlier = events.get(handler.messageClass)
    if (earlier !== undefined && earlier.method !== handler.method) {
      faults.push(
        `${aggregate.name} handles event ${handler.messageClass.name} twice: in ${String(earlier.method)} and in ${String(handler.method)}.`,
      )
      continue
    }
    const type = eventTypeOf(handler.messageClass)
    if (type === undefined) {
      faults.push(
        `${aggregate.name}.${String(handler.method)} handles ${handler.messageClass.name}, which is not marked with @Event(name).`,
      )
      continue
    }
    faults.push(...eventTypeFaults(type))
    events.set(handler.messageClass, { type, method: handler.method })
  }
  if (commands.size === 0) faults.push(`Aggregate ${aggregate.name} has no @CommandHandler.`)
  if (events.size === 0)
    faults.push(
      `Aggregate ${aggregate.name} has no @EventHandler: mark one for every event it may emit, even if its state does not change.`,
    )

  const { snapshots, faults: snapshotFaults } = readSnapshots(aggregate, mark?.snapshotEvery)
  faults.push(...snapshotFaults)

  const make = aggregate as unknown as new () => Methods
  return {
    faults,
    definition: {
      category,
      revision: mark?.revision ?? 1,
      snapshots,
      commands: [...commands.values()].map((c) => c.definition),
      events: [...events.values()].map((e) => e.type),
      identify: (command) =>
        (command as Record<string | symbol, string>)[commands.get(command.constructor)!.idProperty]!,
      initial: () => new make(),
      decide: (state: Methods, command, context) =>
        state[commands.get(command.constructor)!.method]!(command, context) as object | undefined,
      evolve: (state: Methods, event, context) => {
        state[events.get(event.constructor)!.method]!(event, context)
        return state
      },
    },
  }
}
