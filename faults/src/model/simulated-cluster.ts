// Kafka as far as the event store can tell: idempotent batches, fencing by epoch, replication, leaders that change.
//
// Everything here happens at once, at the moment a request arrives. When it arrives, and whether its answer does, is the
// network's business (simulated-driver.ts).
import type {
  FetchedRecord,
  FetchResult,
  PartitionOffsets,
  ProduceOutcome,
  ProducerIdentity,
  ProducerRecord,
  RecordBatch,
  TopicDescription,
  TopicSpecification,
} from '@narrative/kafka-eventstore'
import type { LogRecord } from '../checker/log.js'
import { marksIn } from './order.js'

interface StoredBatch {
  readonly identity: ProducerIdentity
  readonly sequence: number
  readonly baseOffset: number
  readonly count: number
}

/** What a leader remembers of a producer id: the last five batches, as Kafka does. */
interface ProducerState {
  readonly epoch: number
  readonly next: number
  readonly batches: readonly StoredBatch[]
}

interface Waiting {
  readonly offset: number
  readonly tell: (committed: boolean) => void
}

export class SimulatedPartition {
  /** Unavailable while its leader is being replaced. */
  electing = false
  /** Too few followers keep up: nothing is taken. */
  outOfSync = false
  readonly #batches: StoredBatch[] = []
  readonly #records: FetchedRecord[] = []
  #highWatermark = 0
  #producers = new Map<bigint, ProducerState>()
  /** Batches before this one are forgotten when producer states are built again. */
  #remembered = 0
  #waiting: Waiting[] = []
  #watchers: (() => void)[] = []

  get highWatermark(): number {
    return this.#highWatermark
  }

  get end(): number {
    return this.#records.length
  }

  /** Appends as a leader does; `answer` is called when the batch is replicated, or lost with the leader. */
  produce(batch: RecordBatch, answer: (outcome: ProduceOutcome) => void): void {
    if (this.electing) return void answer(unknown('not the leader'))
    if (this.outOfSync)
      return void answer({ outcome: 'not-done', reason: 'retry', error: new Error('NOT_ENOUGH_REPLICAS') })
    const { identity, sequence } = batch
    const state = this.#producers.get(identity.producerId)
    if (state !== undefined && identity.epoch < state.epoch) {
      return void answer({ outcome: 'not-done', reason: 'fenced', error: new Error('INVALID_PRODUCER_EPOCH') })
    }
    if (state !== undefined && identity.epoch === state.epoch) {
      const again = state.batches.find((known) => known.sequence === sequence)
      if (again !== undefined) return void this.#acknowledge(again, answer)
      if (sequence !== state.next) return void answer(unknown('OUT_OF_ORDER_SEQUENCE_NUMBER'))
    } else if (state !== undefined && sequence !== 0) return void answer(unknown('OUT_OF_ORDER_SEQUENCE_NUMBER'))
    const { records, time } = batch
    const taken = { identity, sequence, count: records.length, baseOffset: this.end }
    this.#batches.push(taken)
    for (const record of records) this.#records.push(stored(record, time, this.end))
    this.#remember(taken)
    this.#acknowledge(taken, answer)
  }

  /** The followers have everything. */
  replicate(): void {
    this.#highWatermark = this.end
    const [done, waiting] = [this.#waiting.filter((one) => one.offset <= this.end), this.#waiting]
    this.#waiting = waiting.filter((one) => one.offset > this.end)
    for (const { tell } of done) tell(true)
    for (const wake of this.#watchers.splice(0)) wake()
  }

  /** Another replica leads: all that was acknowledged is there, of the rest the first `kept` batches. */
  changeLeader(kept: number): void {
    const open = this.#batches.findIndex((batch) => batch.baseOffset >= this.#highWatermark)
    if (open !== -1) {
      this.#batches.length = Math.min(this.#batches.length, open + kept)
      const last = this.#batches.at(-1)
      this.#records.length = last === undefined ? 0 : last.baseOffset + last.count
    }
    this.#producers = new Map()
    for (const batch of this.#batches.slice(this.#remembered)) this.#remember(batch)
    for (const { tell } of this.#waiting.splice(0)) tell(false)
  }

  /** As when producer states expire: whoever writes next is believed. */
  forgetProducers(): void {
    this.#producers.clear()
    this.#remembered = this.#batches.length
  }

  /** @param highWatermark what the broker that is asked knows of */
  fetch(offset: number, most: number, highWatermark = this.#highWatermark): FetchResult {
    const records = this.#records.slice(offset, Math.min(highWatermark, offset + most))
    return { records, nextOffset: offset + records.length, highWatermark }
  }

  offsets(): PartitionOffsets {
    return { start: 0, end: this.#highWatermark }
  }

  /** Calls back when the high watermark moves next. */
  watch(wake: () => void): void {
    this.#watchers.push(wake)
  }

  /** Everything that is replicated, as an outsider reads it. */
  read(topic: string, partition: number): LogRecord[] {
    return this.#records.slice(0, this.#highWatermark).map(({ offset, key, value, header }) => {
      const { id = null, upon } = key && value ? marksIn(value) : {}
      const place = { topic, partition, offset, key: key?.toString() ?? null }
      return { ...place, stamp: header('nv') ?? '', eventId: id, decidedUpon: upon }
    })
  }

  #acknowledge({ baseOffset, count }: StoredBatch, answer: (outcome: ProduceOutcome) => void): void {
    const offset = baseOffset + count
    const tell = (committed: boolean) =>
      answer(committed ? { outcome: 'done', baseOffset } : unknown('NOT_LEADER_OR_FOLLOWER'))
    if (offset <= this.#highWatermark) tell(true)
    else this.#waiting.push({ offset, tell })
  }

  #remember(batch: StoredBatch): void {
    const { producerId, epoch } = batch.identity
    const state = this.#producers.get(producerId)
    const batches = state?.epoch === epoch ? state.batches : []
    this.#producers.set(producerId, {
      epoch,
      next: batch.sequence + batch.count,
      batches: [...batches, batch].slice(-5),
    })
  }
}

/** A record as fetches give it; made once, since every instance reads everything. */
function stored({ key, value, headers }: ProducerRecord, time: number, offset: number): FetchedRecord {
  const found = new Map(headers.map((header) => [header.key, Buffer.from(header.value as string).toString()]))
  return {
    offset,
    time,
    key: key && Buffer.from(key),
    value: value && Buffer.from(value),
    header: (name) => found.get(name),
    headers: () => headers.map(({ key: name, value: bytes }) => [name, Buffer.from(bytes as string)] as const),
  }
}

/**
 * Brokers that the others cannot reach, and that do not know it. They answer what they can without the others: where the
 * partitions end that they led, and what is in them. Nothing they are given is replicated, so they acknowledge nothing.
 */
export type Backwater = ReadonlyMap<SimulatedPartition, number>

export class SimulatedCluster {
  readonly topics = new Map<string, { description: TopicDescription; partitions: SimulatedPartition[] }>()
  readonly #identities = new Map<string, ProducerIdentity>()
  #nextProducerId = 1n

  partition(topic: string, partition: number): SimulatedPartition {
    const found = this.topics.get(topic)?.partitions[partition]
    if (found === undefined) throw new Error(`There is no ${topic}/${partition}.`)
    return found
  }

  of(topic: string): readonly SimulatedPartition[] {
    return this.topics.get(topic)?.partitions ?? []
  }

  all(): SimulatedPartition[] {
    return [...this.topics.values()].flatMap(({ partitions }) => partitions)
  }

  createTopic(topic: TopicSpecification): void {
    if (this.topics.has(topic.name)) return
    const description = { ...topic, settings: { 'max.message.bytes': '1048588', ...topic.settings } }
    const partitions = Array.from({ length: topic.partitions }, () => new SimulatedPartition())
    this.topics.set(topic.name, { description, partitions })
  }

  initProducerId(transactionalId: string): ProducerIdentity {
    const known = this.#identities.get(transactionalId)
    const identity = known
      ? { producerId: known.producerId, epoch: known.epoch + 1 }
      : { producerId: this.#nextProducerId++, epoch: 0 }
    this.#identities.set(transactionalId, identity)
    return identity
  }

  /** As when transactional ids were not used for seven days: the next one gets a new producer id, and fences nobody. */
  forgetIdentities(): void {
    this.#identities.clear()
  }

  /** A whole topic. */
  readLog(topic: string): LogRecord[] {
    return this.of(topic).flatMap((partition, at) => partition.read(topic, at))
  }
}

const unknown = (why: string): ProduceOutcome => ({ outcome: 'unknown', error: new Error(why) })
