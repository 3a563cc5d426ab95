// The form without classes: three pure functions over plain messages, on the same engine.
import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { EventType, Upcaster } from '../codec/event-type.js'
import type { AggregateDefinition, CommandContext, EventContext, SnapshotPolicy } from './aggregate-definition.js'

/** A plain message: its stable name and its data. */
export interface Message<Type extends string = string, Data = any> {
  readonly type: Type
  readonly data: Data
}

/** What {@link defineDecider} takes. */
export interface Decider<State, C extends Message, E extends Message> {
  /** Names its streams and its topic. */
  readonly category: string
  /** Raise it when the meaning of the state changes; default 1. */
  readonly revision?: number
  /** A snapshot of the state is kept every so many events, where the event store keeps any; default none. */
  readonly snapshotEvery?: number
  /** For a state that JSON does not give back as it was: what to keep of it. */
  toSnapshot?(state: State): unknown
  /** The other way. */
  fromSnapshot?(data: any): State
  /** Every command by its name, with a Standard Schema for its data when it should be validated. */
  readonly commands: { readonly [T in C['type']]: { readonly schema?: StandardSchemaV1 } }
  /** Every event by its name. */
  readonly events: {
    readonly [T in E['type']]: { readonly version?: number; readonly upcast?: Readonly<Record<number, Upcaster>> }
  }
  /** The aggregate id a command is for. */
  identify(command: C): string
  initial(): State
  decide(
    command: C,
    state: State,
    context: CommandContext,
  ): E | readonly E[] | undefined | void | Promise<E | readonly E[] | undefined | void>
  evolve(state: State, event: E, context: EventContext): State
}

/**
 * Defines an aggregate as a decider (Jérémie Chassaing, "Functional Event Sourcing Decider", 2021).
 *
 * @returns a definition: give it to `createApplication({ aggregates: [...] })` and to `given(...)` in tests
 * @example
 * ```ts
 * const counter = defineDecider<number, Message<'counter.add', { id: string; by: number }>, Message<'counter.added', { by: number }>>({
 *   category: 'counter',
 *   commands: { 'counter.add': {} },
 *   events: { 'counter.added': {} },
 *   identify: (command) => command.data.id,
 *   initial: () => 0,
 *   decide: (command) => ({ type: 'counter.added', data: { by: command.data.by } }),
 *   evolve: (total, event) => total + event.data.by,
 * })
 * ```
 */
export function defineDecider<State, C extends Message, E extends Message>(
  decider: Decider<State, C, E>,
): AggregateDefinition<State> {
  const commands = Object.entries<{ schema?: StandardSchemaV1 }>(decider.commands)
  const events = Object.entries<{ version?: number; upcast?: Readonly<Record<number, Upcaster>> }>(decider.events)
  return {
    category: decider.category,
    revision: decider.revision ?? 1,
    snapshots: snapshotsOf(decider),
    commands: commands.map(([name, { schema }]) => ({ name, messageClass: undefined, schema })),
    events: events.map(([name, options]) => plainEventType(name, options)),
    identify: (command) => decider.identify(command as C),
    initial: () => decider.initial(),
    decide: (state, command, context) => decider.decide(command as C, state, context),
    evolve: (state, event, context) => decider.evolve(state, event as E, context),
  }
}

function snapshotsOf<State, C extends Message, E extends Message>(
  decider: Decider<State, C, E>,
): SnapshotPolicy<State> | undefined {
  const { snapshotEvery: every } = decider
  if (every === undefined) return undefined
  return {
    every,
    toData: (state) => (decider.toSnapshot === undefined ? state : decider.toSnapshot(state)),
    fromData: (data) => (decider.fromSnapshot === undefined ? (data as State) : decider.fromSnapshot(data)),
  }
}

function plainEventType(
  name: string,
  options: { version?: number; upcast?: Readonly<Record<number, Upcaster>> },
): EventType {
  return {
    name,
    version: options.version ?? 1,
    eventClass: undefined,
    revivesRichValues: false,
    revive: (data) => ({ type: name, data }),
    plain: (event) => (event as Message).data,
    upcasters: new Map(Object.entries(options.upcast ?? {}).map(([from, upcast]) => [Number(from), upcast])),
  }
}
