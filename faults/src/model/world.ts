// What a history is played in: the cluster, the instances, and clients that note what they were told.
import { isNarrativeError, type NewEvent, type OpenStorage, silentLogger } from '@narrative/core'
import type { kafkaEventStore } from '@narrative/kafka-eventstore'
import type { AppendOperation, AppendOutcome, Operation, ReadOperation } from '../checker/history.js'
import type { Random } from '../random.js'
import type { Climate } from './climate.js'
import { SimulatedCluster } from './simulated-cluster.js'
import { simulatedDriver, type Weather } from './simulated-driver.js'
import { SimulatedGroup } from './simulated-group.js'
import { InstanceDied, type VirtualTime } from './virtual-time.js'

export const partitions = 2
export const topic = 'model.order.events'

/** A process that serves. */
export interface Instance {
  readonly name: string
  readonly store: OpenStorage
}

/** Everything a history is played with. */
export class World {
  readonly cluster = new SimulatedCluster()
  readonly weather: Weather
  readonly group: SimulatedGroup | undefined
  readonly cutOff = new Set<string>()
  /** Who answered for a stream last. */
  readonly #owners = new Map<string, Instance>()
  readonly skew = new Map<string, number>()
  readonly story: string[] = []
  readonly operations: Operation[] = []
  readonly hung: Operation[] = []
  instances: Instance[] = []
  opened = 0

  constructor(
    readonly time: VirtualTime,
    readonly random: Random,
    readonly climate: Climate,
    readonly create: typeof kafkaEventStore,
  ) {
    this.weather = { ...climate.weather }
    this.group = climate.lawless ? undefined : new SimulatedGroup(time)
  }

  tell(what: string): void {
    this.story.push(`${this.time.now.toFixed(1)} ${what}`)
  }

  /** A new instance; undefined when it cannot open, or dies of it. */
  async open(): Promise<Instance | undefined> {
    const { time, random, cluster, group, weather, cutOff } = this
    const name = `i${++this.opened}`
    const driver = simulatedDriver({ time, random, cluster, group, weather, instance: name, cutOff })
    const clock = { now: () => Math.floor(1_700_000_000_000 + time.now + (this.skew.get(name) ?? 0)) }
    const storage = this.create({ brokers: [], context: 'model', partitions, clientId: name, driver: () => driver })
    this.tell(`${name} opens`)
    try {
      const store = await time.ask(name, () => storage.open({ categories: ['order'], clock, logger: silentLogger }))
      const instance = { name, store }
      this.instances.push(instance)
      this.tell(`${name} serves`)
      return instance
    } catch (error) {
      if (!isNarrativeError(error) && !(error instanceof InstanceDied)) throw error
      this.tell(`${name} does not open: ${error.message.slice(0, 80)}`)
      return undefined
    }
  }

  /** Any that is alive; where there is no law, the newest most often: it is likely the owner. */
  anyInstance(): Instance | undefined {
    this.instances = this.instances.filter(({ name }) => !this.time.isDead(name))
    if (this.group !== undefined) return this.instances.length === 0 ? undefined : this.random.pick(this.instances)
    const { length } = this.instances
    const back = Math.floor(this.random.next() * this.random.next() * Math.min(3, length))
    return this.instances[length - 1 - back]
  }

  /** Whom a client asks about a stream: who answered last, most often. */
  anyFor(streamId: string): Instance | undefined {
    const last = this.#owners.get(streamId)
    const known = last !== undefined && this.instances.includes(last) && !this.time.isDead(last.name)
    return known && this.random.chance(0.75) ? last : this.anyInstance()
  }

  async append(
    client: string,
    instance: Instance,
    asked: Pick<AppendOperation, 'streamId' | 'commandId' | 'expectedVersion'>,
  ): Promise<AppendOperation> {
    const { time, random } = this
    const events = Array.from({ length: random.chance(0.7) ? 1 : random.between(2, 4) }, () => anEvent(random.uuid()))
    const { streamId, commandId, expectedVersion } = asked
    const metadata = { commandId, correlationId: commandId, causationId: commandId }
    const start = time.now
    const { told, answered } = await this.#answer<AppendOutcome>(
      instance,
      async () => {
        const result = await instance.store.eventStore.append(streamId, events, { expectedVersion, metadata })
        const { outcome, ...rest } = result
        return { told: outcome, ...rest } as AppendOutcome
      },
      (code) => ({ told: code === 'OUTCOME_UNKNOWN' || code === 'NO_ANSWER' ? 'unknown' : 'refused', code }),
    )
    const eventIds = events.map((event) => event.id)
    const called = {
      id: this.operations.length,
      client,
      instance: instance.name,
      start,
      end: answered ? time.now : null,
    }
    const operation: AppendOperation = { kind: 'append', ...called, ...asked, eventIds, outcome: told }
    this.operations.push(operation)
    if (told.told === 'appended') this.#owners.set(streamId, instance)
    else if (told.told === 'refused') this.#owners.delete(streamId)
    if (!answered && !time.isDead(instance.name)) this.hung.push(operation)
    return operation
  }

  async read(client: string, instance: Instance, streamId: string): Promise<void> {
    const { time } = this
    const start = time.now
    const { told, answered } = await this.#answer<ReadOperation['outcome']>(
      instance,
      async () => {
        const eventIds: string[] = []
        for await (const event of instance.store.eventStore.read(streamId)) eventIds.push(event.id)
        return { told: 'events', eventIds }
      },
      (code) => ({ told: 'failed', code }),
    )
    const called = {
      id: this.operations.length,
      client,
      instance: instance.name,
      start,
      end: answered ? time.now : null,
    }
    this.operations.push({ kind: 'read', strong: true, ...called, streamId, outcome: told })
  }

  /** What an instance says to a client, which waits two minutes: longer than anything it was promised. */
  async #answer<T>(
    { name }: Instance,
    work: () => Promise<T>,
    failed: (code: string) => T,
  ): Promise<{ told: T; answered: boolean }> {
    const { time } = this
    const gaveUp = Symbol('gave up')
    try {
      const told = await Promise.race([time.ask(name, work), time.sleep(120_000).then(() => gaveUp)])
      if (told === gaveUp) return { told: failed('NO_ANSWER'), answered: false }
      return { told: told as T, answered: true }
    } catch (error) {
      if (error instanceof InstanceDied) return { told: failed('NO_ANSWER'), answered: false }
      if (isNarrativeError(error)) return { told: failed(error.code), answered: true }
      throw error
    }
  }
}

function anEvent(id: string): NewEvent {
  return { id, type: 'order.placed', schemaVersion: 1, contentType: 'application/json', data: Buffer.from('{}') }
}
