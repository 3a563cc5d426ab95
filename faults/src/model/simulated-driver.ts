// The driver port over a network that delays, loses and reorders; each instance has one.
import { NarrativeError } from '@narrative/core'
import type { KafkaDriver, ProduceOutcome } from '@narrative/kafka-eventstore'
import type { Random } from '../random.js'
import type { SimulatedCluster } from './simulated-cluster.js'
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
}

/** As the real driver's defaults: a request is given up, and what is safe to repeat is repeated within this time. */
const requestTimeout = 10_000
const attemptTimeout = 3_000
/** Brokers here hold an idle fetch for longer than they were asked to: else most of a history would be idle fetches. */
const idle = 6

export function simulatedDriver(surroundings: DriverSurroundings): KafkaDriver {
  const { time, random, cluster, group, weather, instance, cutOff } = surroundings
  let closed = false

  const latency = () => (random.chance(weather.late) ? random.between(500, 20_000) : random.next() * random.next() * 8)
  const travels = (lost: number) => !cutOff.has(instance) && !random.chance(lost)

  /** A message to the cluster, served when it arrives, and its answer, if both get through. */
  function send<T>(serve: (answer: (value: T) => void) => void, receive: (value: T) => void): void {
    if (!travels(weather.lostRequest)) return
    const arrive = () =>
      serve((value) => {
        if (travels(weather.lostAnswer)) time.after(latency(), () => receive(value), instance)
      })
    time.after(latency(), arrive, 'cluster')
  }

  /** Repeats until an answer comes: for what may be done twice. */
  function ask<T>(serve: (answer: (value: T) => void) => void, patience = attemptTimeout): Promise<T> {
    return new Promise((resolve, reject) => {
      const giveUp = time.now + requestTimeout + patience
      const attempt = () => {
        if (closed) return void reject(new NarrativeError('STORE_CLOSED', { message: 'The driver was closed.' }))
        if (time.now >= giveUp) {
          return void reject(new NarrativeError('BROKER_UNREACHABLE', { message: 'No broker answers.' }))
        }
        const cancel = time.after(patience, attempt, instance)
        send(serve, (value) => {
          cancel()
          resolve(value)
        })
      }
      attempt()
    })
  }

  /** Like {@link ask}, of the leader of a partition: silent while there is none. */
  const askLeader = <T>(
    topic: string,
    partition: number,
    serve: (answer: (value: T) => void) => void,
    patience?: number,
  ) =>
    ask<T>((answer) => {
      if (!cluster.partition(topic, partition).electing) serve(answer)
    }, patience)

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
        (answer) => {
          const leader = cluster.partition(topic, partition)
          let done = false
          const tell = () => {
            if (done) return
            done = true
            answer(offset > leader.highWatermark ? undefined : leader.fetch(offset, most))
          }
          if (offset < leader.highWatermark || maxWait === 0) return void tell()
          leader.watch(tell)
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
      askLeader(topic, partition, (answer) => answer(cluster.partition(topic, partition).offsets())),
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
