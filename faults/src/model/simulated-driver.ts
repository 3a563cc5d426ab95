// The driver port over a network that delays, loses and reorders; each instance has one.
import { NarrativeError } from '@narrative/core'
import type { KafkaDriver, ProduceOutcome } from '@narrative/kafka-eventstore'
import type { Random } from '../random.js'
import type { Backwater, SimulatedCluster, SimulatedPartition } from './simulated-cluster.js'
import type { SimulatedGroup } from './simulated-group.js'
import { type MemberOptions, SimulatedMember } from './simulated-member.js'
import type { VirtualTime } from './virtual-time.js'

/** How bad the network is; probabilities for each message. */
export interface Weather {
  lostRequest: number
  lostAnswer: number
  /** A message that comes seconds later, when nobody waits for it any more. */
  late: number
  /** Milliseconds until the followers have a batch, at most. */
  replication: number
}

/** What one instance's driver stands in. */
export interface DriverSurroundings {
  readonly time: VirtualTime
  readonly random: Random
  readonly cluster: SimulatedCluster
  /** Undefined for a group that tells everybody to own everything. */
  readonly group: SimulatedGroup | undefined
  readonly weather: Weather
  readonly instance: string
  /** Instances that are cut off at the moment. */
  readonly cutOff: ReadonlySet<string>
  /** Instances that only reach brokers which are themselves cut off. */
  readonly astray: ReadonlyMap<string, Backwater>
}

type Serve<T> = (answer: (value: T) => void) => void
type ServeAlone<T> = (backwater: Backwater, answer: (value: T) => void) => void

/** As the real driver's defaults: a request is given up, and what is safe to repeat is repeated within this time. */
const requestTimeout = 10_000
const attemptTimeout = 3_000
/** Brokers here hold an idle fetch for longer than they were asked to: else most of a history would be idle fetches. */
const idle = 6

export function simulatedDriver(surroundings: DriverSurroundings): KafkaDriver {
  const { time, random, cluster, group, weather, instance, cutOff, astray } = surroundings
  let closed = false

  const latency = () => (random.chance(weather.late) ? random.between(500, 20_000) : random.next() * random.next() * 8)
  const travels = (lost: number) => !cutOff.has(instance) && !random.chance(lost)

  /**
   * A message to the cluster, served when it arrives, and its answer, if both get through.
   * @param alone what brokers can answer that are cut off
   */
  function send<T>(serve: Serve<T>, receive: (value: T) => void, alone?: ServeAlone<T>): void {
    if (!travels(weather.lostRequest)) return
    const arrive = () => {
      const backwater = astray.get(instance)
      const answer = (value: T) => {
        if (astray.get(instance) !== backwater) return // who was asked is out of reach now
        if (travels(weather.lostAnswer)) time.after(latency(), () => receive(value), instance)
      }
      if (backwater === undefined) serve(answer)
      else alone?.(backwater, answer)
    }
    time.after(latency(), arrive, 'cluster')
  }

  /** Repeats until an answer comes: for what may be done twice. */
  function ask<T>(serve: Serve<T>, patience = attemptTimeout, alone?: ServeAlone<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const giveUp = time.now + requestTimeout + patience
      const attempt = () => {
        if (closed) return void reject(new NarrativeError('STORE_CLOSED', { message: 'The driver was closed.' }))
        if (time.now >= giveUp) {
          return void reject(new NarrativeError('BROKER_UNREACHABLE', { message: 'No broker answers.' }))
        }
        const cancel = time.after(patience, attempt, instance)
        const receive = (value: T) => {
          cancel()
          resolve(value)
        }
        send(serve, receive, alone)
      }
      attempt()
    })
  }

  /** Like {@link ask}, of the leader of a partition: silent while there is none. One that is cut off knows an old end. */
  const askLeader = <T>(
    topic: string,
    partition: number,
    serve: (leader: SimulatedPartition, answer: (value: T) => void, end?: number) => void,
    patience?: number,
  ) =>
    ask<T>(
      (answer) => {
        const leader = cluster.partition(topic, partition)
        if (!leader.electing) serve(leader, answer)
      },
      patience,
      (backwater, answer) => {
        const leader = cluster.partition(topic, partition)
        const end = backwater.get(leader)
        if (end !== undefined) serve(leader, answer, end)
      },
    )

  const driver = {
    async connect() {},
    describeTopics: (names) =>
      ask((answer) => {
        const found = names.flatMap((name) => cluster.topics.get(name)?.description ?? [])
        answer(new Map(found.map((topic) => [topic.name, topic])))
      }),
    createTopic: (topic) =>
      ask<void>((answer) => {
        cluster.createTopic(topic)
        answer()
      }),
    initProducerId: (transactionalId) => ask((answer) => answer(cluster.initProducerId(transactionalId))),
    produce(batch) {
      return new Promise<ProduceOutcome>((resolve) => {
        const unknown = (why: string) => () => resolve({ outcome: 'unknown', error: new Error(why) })
        if (closed) return void unknown('the driver was closed')()
        const cancel = time.after(requestTimeout, unknown('no answer in time'), instance)
        const partition = cluster.partition(batch.topic, batch.partition)
        send<ProduceOutcome>(
          (answer) => {
            partition.produce(batch, answer)
            time.after(random.next() * weather.replication, () => partition.replicate(), 'cluster')
          },
          (outcome) => {
            cancel()
            resolve(outcome)
          },
        )
      })
    },
    fetch({ topic, partition, offset, maxWait, signal }) {
      const most = random.between(1, 200)
      const served = askLeader<Awaited<ReturnType<KafkaDriver['fetch']>> | undefined>(
        topic,
        partition,
        (leader, answer, end) => {
          const known = () => end ?? leader.highWatermark
          let done = false
          const tell = () => {
            if (done) return
            done = true
            answer(offset > known() ? undefined : leader.fetch(offset, most, known()))
          }
          if (offset < known() || maxWait === 0) return void tell()
          if (end === undefined) leader.watch(tell)
          time.after(idle * maxWait, tell, 'cluster')
        },
        attemptTimeout + idle * maxWait,
      ).then((result) => {
        if (result !== undefined) return result
        throw new NarrativeError('LOG_TRUNCATED', { message: `${offset} is beyond ${topic}/${partition}.` })
      })
      return signal === undefined ? served : abortable(served, signal)
    },
    offsets: (topic, partition) =>
      askLeader(topic, partition, (leader, answer, end = leader.highWatermark) => answer({ start: 0, end })),
    async joinGroup(options: MemberOptions) {
      if (group !== undefined) {
        const member = new SimulatedMember(time, group, instance, ask, options)
        await member.start()
        return member
      }
      // The worst of groups: everybody is told to own everything, and nobody can be sure of it.
      const everything = options.topics.map(({ name, partitions }) => [name, [...Array(partitions).keys()]])
      options.onAssigned(Object.fromEntries(everything), 0)
      const nothing = { committed: async () => undefined, commit: async () => {} }
      return { sureUntil: 0, silentFor: 0, confirm: async () => {}, leave: async () => {}, ...nothing }
    },
    async close() {
      closed = true
    },
  } satisfies KafkaDriver & Record<string, unknown>
  return driver
}

/** An aborted fetch ends at once, without records. */
function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason)
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
    if (signal.aborted) abort()
    else signal.addEventListener('abort', abort, { once: true })
  })
}
