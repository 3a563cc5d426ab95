// One given and when, carried out as in production: an application on an in-memory store, with the real command bus.
import { randomUUID } from 'node:crypto'
import {
  type AggregateDefinition,
  type Application,
  type ApplicationOptions,
  type Class,
  type Clock,
  type CommandOptions,
  createApplication,
  createEventCodec,
  type EventCodec,
  inMemoryEventStore,
  NarrativeError,
  readAggregate,
  silentLogger,
  toStreamId,
} from '@narrative/core'
import { at } from '../settable-clock.js'
import type { NamedMessage } from './failure.js'
import { plainData } from './plain-data.js'
import { type Services, servicesPart } from './services-part.js'
import { type StateChange, watchState } from './watch-state.js'

/** What the aggregate under test lives with. */
export interface GivenOptions {
  /** Default: a clock that stands still at 2026-01-01T00:00:00Z. */
  readonly clock?: Clock
  /** The modules of the application, for the services that command handlers ask for. */
  readonly modules?: ApplicationOptions['modules']
  /** Services by their ids; one that a module binds too is replaced. */
  readonly services?: Services
}

/** What is to be carried out. */
export interface Story {
  readonly aggregate: object
  readonly options: GivenOptions
  readonly given: readonly object[]
  readonly command: object
  readonly commandOptions: CommandOptions
}

/** What came of it. */
export interface Outcome {
  readonly given: readonly NamedMessage[]
  readonly when: NamedMessage
  /** Set when the command was rejected. */
  readonly rejection: { readonly error: unknown } | undefined
  /** As the handler returned them. */
  readonly decided: readonly NamedMessage[]
  /** As they are read back from the store. */
  readonly stored: readonly NamedMessage[]
  /** Folded from the store, after the command; undefined when it was rejected. */
  readonly state: unknown
  /** Set when the command handler changed the state itself. */
  readonly stateChange: StateChange | undefined
  /** Names an event as the store does. @throws NarrativeError `EVENT_FOREIGN`, `EVENT_UNENCODABLE` */
  named(event: object): NamedMessage
}

/** @throws NarrativeError when the story cannot be told: start-up faults, given events that are not the aggregate's */
export async function runStory({ aggregate, options, given, command, commandOptions }: Story): Promise<Outcome> {
  const definition = definitionOf(aggregate)
  const codec = createEventCodec(definition.events)
  const named = (event: object) => nameEvent(codec, event)
  let stateChange: StateChange | undefined
  const watched = watchState(definition, (change) => {
    stateChange ??= change
  })
  const app = await createApplication({
    aggregates: [watched],
    eventStore: inMemoryEventStore(),
    clock: options.clock ?? at('2026-01-01T00:00:00Z'),
    modules: options.modules,
    parts: [servicesPart(options.services ?? [])],
    logger: silentLogger,
  })
  try {
    await append(app, codec, definition, given, command)
    const told = { given: given.map(named), when: nameCommand(definition, command), named }
    try {
      const result = await app.commands.execute(command, commandOptions)
      const history: object[] = []
      for await (const { event } of app.aggregates.history(watched, result.aggregateId)) history.push(event)
      const { state } = await app.aggregates.state(watched, result.aggregateId)
      const stored = history.slice(given.length).map(named)
      return { ...told, rejection: undefined, decided: result.events.map(named), stored, state, stateChange }
    } catch (error) {
      return { ...told, rejection: { error }, decided: [], stored: [], state: undefined, stateChange }
    }
  } finally {
    await app.stop()
  }
}

function definitionOf(aggregate: object): AggregateDefinition {
  if (typeof aggregate !== 'function') return aggregate as AggregateDefinition
  const { definition, faults } = readAggregate(aggregate as Class)
  if (faults.length === 0) return definition
  throw new NarrativeError('STARTUP_FAULTS', {
    message: `${(aggregate as Class).name} cannot be tested before it is a whole aggregate:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`,
    details: { faults },
  })
}

/** The given events are the history of the aggregate that the command is for. */
async function append(
  app: Application,
  codec: EventCodec,
  definition: AggregateDefinition,
  given: readonly object[],
  command: object,
): Promise<void> {
  const encoded = given.map((event) => codec.encode(event))
  if (encoded.length === 0 || commandOf(definition, command) === undefined) return
  const aggregateId: unknown = definition.identify(command)
  // Without an id the command is about to be rejected, whatever the history.
  if (typeof aggregateId !== 'string' || aggregateId === '') return
  const id = randomUUID()
  await app.eventStore.append(toStreamId(definition.category, aggregateId), encoded, {
    expectedVersion: 0,
    metadata: { commandId: id, correlationId: id, causationId: id },
  })
}

function commandOf(definition: AggregateDefinition, command: object) {
  const type = (command as { type?: unknown }).type
  return definition.commands.find(({ messageClass, name }) =>
    messageClass === undefined ? name === type : messageClass === command.constructor,
  )
}

function nameCommand(definition: AggregateDefinition, command: object): NamedMessage {
  const known = commandOf(definition, command)
  if (known === undefined) return { type: command.constructor.name, data: plainData(command) }
  const data = known.messageClass === undefined ? (command as { data?: unknown }).data : command
  return { type: known.name, data: plainData(data) }
}

/** An event by its stable name and the data that storage keeps. */
export function nameEvent(codec: EventCodec, event: object): NamedMessage {
  const type = codec.types.get(codec.encode(event).type)!
  return { type: type.name, data: plainData(type.plain(event)) }
}
