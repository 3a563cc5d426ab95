// What a history is played in: the cluster, the instances, and who is asked for what.
import {
  type Application,
  type EventStorage,
  type EventStore,
  InMemorySnapshotStore,
  isNarrativeError,
  silentLogger,
} from '@narrative/core'
import type { Random } from '../random.js'
import type { Climate } from './climate.js'
import { marksIn, order } from './order.js'
import { type Backwater, SimulatedCluster } from './simulated-cluster.js'
import { simulatedDriver, type Weather } from './simulated-driver.js'
import { SimulatedGroup } from './simulated-group.js'
import type { Subject } from './subject.js'
import { epoch, InstanceDied, type VirtualTime } from './virtual-time.js'

export const partitions = 2
export const topic = 'model.order.events'

/** A process that serves. */
export interface Instance {
  readonly name: string
  readonly app: Application
}

/** Everything a history is played with. */
export class World {
  readonly cluster = new SimulatedCluster()
  readonly weather: Weather
  readonly group: SimulatedGroup | undefined
  readonly cutOff = new Set<string>()
  /** Instances on the smaller side of a cluster that is split. */
  readonly astray = new Map<string, Backwater>()
  /** Instances that a balancer sends nothing to. */
  readonly shunned = new Set<string>()
  /** Who answered for a stream last. */
  readonly owners = new Map<string, Instance>()
  readonly skew = new Map<string, number>()
  readonly story: string[] = []
  /** By event id, of commands that have one: milliseconds since 1970 UTC. */
  readonly deadlines = new Map<string, number>()
  /** Sentences about commands that were carried out although they had expired. */
  readonly late: string[] = []
  /** The clients' clock; an instance's may differ. */
  readonly clock = { now: () => Math.floor(epoch + this.time.now) }
  instances: Instance[] = []
  opened = 0

  constructor(
    readonly time: VirtualTime,
    readonly random: Random,
    readonly climate: Climate,
    readonly subject: Subject,
  ) {
    this.weather = { ...climate.weather }
    this.group = climate.lawless ? undefined : new SimulatedGroup(time)
  }

  tell(what: string): void {
    this.story.push(`${this.time.now.toFixed(1)} ${what}`)
  }

  /** A new instance; undefined when it cannot open, or dies of it. */
  async open(): Promise<Instance | undefined> {
    const { time, random, cluster, group, weather, cutOff, astray } = this
    const { createApplication, kafkaEventStore } = this.subject
    const name = `i${++this.opened}`
    const driver = simulatedDriver({ time, random, cluster, group, weather, instance: name, cutOff, astray })
    const clock = { now: () => this.clock.now() + (this.skew.get(name) ?? 0) }
    const kafka = kafkaEventStore({ brokers: [], context: 'model', partitions, clientId: name, driver: () => driver })
    const options = {
      ...{ aggregates: [order], eventStore: this.#witnessed(kafka, name), clock, logger: silentLogger },
      ...{ validator: { validate: () => [] }, snapshots: new InMemorySnapshotStore({ max: 100 }) },
    }
    this.tell(`${name} opens`)
    try {
      const instance = { name, app: await time.ask(name, () => createApplication(options)) }
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
    const instances = this.instances.filter(({ name }) => !this.shunned.has(name))
    if (this.group !== undefined) return instances.length === 0 ? undefined : this.random.pick(instances)
    const { length } = instances
    const back = Math.floor(this.random.next() * this.random.next() * Math.min(3, length))
    return instances[length - 1 - back]
  }

  /** Whom a client asks about a stream: who answered last, most often. */
  anyFor(streamId: string): Instance | undefined {
    const last = this.owners.get(streamId)
    const known = last !== undefined && this.instances.includes(last) && !this.time.isDead(last.name)
    return known && !this.shunned.has(last.name) && this.random.chance(0.75) ? last : this.anyInstance()
  }

  /** The same storage, under eyes that see which commands come through to be appended. */
  #witnessed(storage: EventStorage, name: string): EventStorage {
    return {
      name: storage.name,
      open: async (context) => {
        const open = await storage.open(context)
        const { eventStore } = open
        const append: EventStore['append'] = (streamId, events, options) => {
          const deadline = this.deadlines.get(marksIn(events[0]!.data).id) ?? Number.POSITIVE_INFINITY
          const past = context.clock.now() - deadline
          if (past >= 0) this.late.push(`${name} carried ${options.metadata.commandId} out ${past} ms too late`)
          return eventStore.append(streamId, events, options)
        }
        const read: EventStore['read'] = (...asked) => eventStore.read(...asked)
        const findCommand: EventStore['findCommand'] = (...asked) => eventStore.findCommand(...asked)
        return Object.defineProperty(open, 'eventStore', { value: { append, read, findCommand } })
      },
    }
  }
}
