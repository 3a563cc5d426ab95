// What clients do, and what they were told: appends and reads at the owner, commands and reads at any instance.
import { type Application, aggregateIdOf, isDomainError, isNarrativeError } from '@narrative/core'
import type { AppendOperation, AppendOutcome, Operation, ReadOperation } from '../checker/history.js'
import { marksIn, order, placed } from './order.js'
import { InstanceDied } from './virtual-time.js'
import type { Instance, World } from './world.js'

export type Asked = Pick<AppendOperation, 'streamId' | 'commandId' | 'expectedVersion'>

/** How long a client waits, milliseconds: longer than anything it was promised. */
const patience = 120_000

type ReadOutcome = ReadOperation['outcome']

export class Callers {
  readonly operations: Operation[] = []
  /** Those that an instance never answered although it lives. */
  readonly hung: Operation[] = []
  readonly #world: World

  constructor(world: World) {
    this.#world = world
  }

  /** Appends at the byte level, where the stream must be owned. */
  append(client: string, instance: Instance, asked: Asked): Promise<AppendOperation> {
    const { streamId, commandId, expectedVersion } = asked
    const metadata = { commandId, correlationId: commandId, causationId: commandId }
    return this.#attempt(client, instance, asked, async ({ eventStore }, eventIds) => {
      const result = await eventStore.append(streamId, eventIds.map(placed), { expectedVersion, metadata })
      const { outcome: told, ...rest } = result
      return { told, ...rest } as AppendOutcome
    })
  }

  /** Gives a command to any instance; some expire soon, some are refused as things are. */
  command(client: string, instance: Instance, asked: Asked): Promise<AppendOperation> {
    const { random, clock, deadlines } = this.#world
    const { streamId, commandId } = asked
    const parity = random.pick([undefined, undefined, 0, 1] as const)
    const deadline = random.chance(0.5) ? undefined : clock.now() + random.between(1, random.pick([50, 20_000]))
    const expectedVersion = asked.expectedVersion === 'any' ? undefined : asked.expectedVersion
    return this.#attempt(client, instance, asked, async ({ commands }, eventIds) => {
      if (deadline !== undefined) for (const id of eventIds) deadlines.set(id, deadline)
      const place = { type: 'order.place', data: { orderId: aggregateIdOf(streamId), eventIds, parity } }
      const result = await commands.execute(place, { commandId, deadline, expectedVersion })
      const { version, position, duplicate } = result
      const told = (result.events as unknown as { data: { id: string } }[]).map(({ data }) => data.id)
      const firstVersion = version - told.length + 1
      return { told: 'appended', firstVersion, version, position: position!, duplicate, eventIds: told }
    })
  }

  /** A strong read: at the owner, or by way of any instance. */
  async read(client: string, instance: Instance, streamId: string, routed: boolean): Promise<ReadOutcome> {
    const work = async (app: Application) => ({ told: 'events' as const, eventIds: await idsOf(app, streamId, routed) })
    const failed = (error: unknown) => ({ told: 'failed' as const, code: codeOf(error) })
    const { told, ...called } = await this.#answer<ReadOutcome>(client, instance, work, failed)
    this.#note(instance, { kind: 'read', strong: true, ...called, streamId, outcome: told })
    if (told.told === 'failed') this.#world.owners.delete(streamId)
    return told
  }

  async #attempt(
    client: string,
    instance: Instance,
    asked: Asked,
    work: (app: Application, eventIds: readonly string[]) => Promise<AppendOutcome>,
  ): Promise<AppendOperation> {
    const { random, owners } = this.#world
    const eventIds = Array.from({ length: random.chance(0.7) ? 1 : random.between(2, 4) }, () => random.uuid())
    const { told, ...called } = await this.#answer(client, instance, (app) => work(app, eventIds), failedAppend)
    const operation: AppendOperation = { kind: 'append', ...called, ...asked, eventIds, outcome: told }
    this.#note(instance, operation)
    if (told.told === 'appended') owners.set(asked.streamId, instance)
    else if (told.told === 'refused') owners.delete(asked.streamId)
    return operation
  }

  #note({ name }: Instance, operation: Operation): void {
    this.operations.push(operation)
    if (operation.end === null && !this.#world.time.isDead(name)) this.hung.push(operation)
  }

  async #answer<T>(
    client: string,
    { name, app }: Instance,
    work: (app: Application) => Promise<T>,
    failed: (error: unknown) => T,
  ) {
    const { time } = this.#world
    const start = time.now
    const gaveUp = time.sleep(patience).then(() => Promise.reject(new InstanceDied(name)))
    gaveUp.catch(() => {}) // most answer in time
    const asked = Promise.race([time.ask(name, () => work(app)), gaveUp])
    const called = { id: 0, client, instance: name, start }
    try {
      return { ...called, told: await asked, ...this.#now() }
    } catch (error) {
      if (error instanceof InstanceDied)
        return { ...called, told: failed(error), id: this.operations.length, end: null }
      if (!isNarrativeError(error) && !isDomainError(error)) throw error
      return { ...called, told: failed(error), ...this.#now() }
    }
  }

  /** The last facts of an operation. */
  #now() {
    return { id: this.operations.length, end: this.#world.time.now }
  }
}

/** Every event of a stream, by the ids their authors gave them. */
export async function idsOf(app: Application, streamId: string, routed: boolean): Promise<string[]> {
  const ids: string[] = []
  if (routed) {
    for await (const { event } of app.aggregates.history(order, aggregateIdOf(streamId))) {
      ids.push((event as { data: { id: string } }).data.id)
    }
  } else {
    for await (const { data } of app.eventStore.read(streamId)) ids.push(marksIn(data).id)
  }
  return ids
}

function failedAppend(error: unknown): AppendOutcome {
  if (isNarrativeError(error, 'VERSION_CONFLICT'))
    return { told: 'conflict', actualVersion: Number(error.details.actualVersion) }
  const code = codeOf(error)
  return { told: code === 'OUTCOME_UNKNOWN' || code === 'NO_ANSWER' ? 'unknown' : 'refused', code }
}

function codeOf(error: unknown): string {
  return isNarrativeError(error) || isDomainError(error) ? error.code : 'NO_ANSWER'
}
