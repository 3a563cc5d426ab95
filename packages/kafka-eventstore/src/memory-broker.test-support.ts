// A broker in memory that keeps Kafka's rules for idempotent batches: epochs, sequences, the last five batches.
//
// Whatever a network can do to a request is done by `intercept`: it gets each produce and decides when and whether
// the batch is delivered and what the sender learns.
import { NarrativeError } from '@narrative/core'
import type {
  FetchedRecord,
  FetchRequest,
  FetchResult,
  KafkaDriver,
  ProduceOutcome,
  ProducerIdentity,
  ProducerRecord,
  RecordBatch,
  TopicDescription,
  TopicSpecification,
} from './driver/kafka-driver.js'

interface StoredRecord extends ProducerRecord {
  readonly time: number
}

/** What a partition's leader knows of a producer id. */
interface ProducerState {
  epoch: number
  next: number
  batches: { sequence: number; baseOffset: number }[]
}

class Partition {
  readonly log: StoredRecord[] = []
  readonly producers = new Map<bigint, ProducerState>()
  waiting: (() => void)[] = []
}

/** Decides the fate of a produce request. */
export type Intercept = (
  batch: RecordBatch,
  deliver: () => ProduceOutcome,
) => ProduceOutcome | Promise<ProduceOutcome> | undefined

export class MemoryBroker {
  readonly topics = new Map<string, { description: TopicDescription; partitions: Partition[] }>()
  readonly #identities = new Map<string, { producerId: bigint; epoch: number }>()
  #nextProducerId = 1000n
  /** What groups remember. */
  readonly offsets = new Map<string, number>()
  /** How many ever joined a group. */
  members = 0
  /** The newest member is given its partitions again, after a round of the group that went on without it. */
  missRound = () => {}
  maxBatchRecords = Number.POSITIVE_INFINITY
  down = false

  /** Goes down, and whoever waits for an answer learns of it. */
  crash(): void {
    this.down = true
    for (const { partitions } of this.topics.values()) {
      for (const partition of partitions) for (const wake of partition.waiting.splice(0)) wake()
    }
  }

  /** What happens after a transactional id was not used for seven days. */
  forget(transactionalId: string): void {
    this.#identities.delete(transactionalId)
  }

  /** What happens when a leader changes without the producer's state, or it expires. */
  forgetProducers(topic: string, partition: number): void {
    this.partition(topic, partition).producers.clear()
  }

  partition(topic: string, partition: number): Partition {
    const found = this.topics.get(topic)?.partitions[partition]
    if (found === undefined) throw new Error(`no ${topic}/${partition}`)
    return found
  }

  initProducerId(transactionalId: string): ProducerIdentity {
    this.#up()
    const known = this.#identities.get(transactionalId)
    const identity = known ? { ...known, epoch: known.epoch + 1 } : { producerId: this.#nextProducerId++, epoch: 0 }
    this.#identities.set(transactionalId, identity)
    return identity
  }

  produce(batch: RecordBatch): ProduceOutcome {
    if (this.down) return { outcome: 'unknown', error: new Error('connection lost') }
    const notDone = (reason: 'fenced' | 'too-large' | 'refused'): ProduceOutcome => {
      return { outcome: 'not-done', reason, error: new Error(reason) }
    }
    if (batch.records.length > this.maxBatchRecords) return notDone('too-large')
    const partition = this.partition(batch.topic, batch.partition)
    const { producerId, epoch } = batch.identity
    const state = partition.producers.get(producerId)
    if (state !== undefined && epoch < state.epoch) return notDone('fenced')
    if (state !== undefined && epoch === state.epoch) {
      const again = state.batches.find(({ sequence }) => sequence === batch.sequence)
      if (again !== undefined) return { outcome: 'done', baseOffset: again.baseOffset }
      if (batch.sequence !== state.next) return notDone('refused')
    } else if (state !== undefined && batch.sequence !== 0) return notDone('refused')
    const baseOffset = partition.log.length
    for (const record of batch.records) partition.log.push({ ...record, time: batch.time })
    const kept = state?.epoch === epoch ? state.batches : []
    partition.producers.set(producerId, {
      epoch,
      next: batch.sequence + batch.records.length,
      batches: [...kept, { sequence: batch.sequence, baseOffset }].slice(-5),
    })
    const woken = partition.waiting
    partition.waiting = []
    for (const wake of woken) wake()
    return { outcome: 'done', baseOffset }
  }

  async fetch({ topic, partition, offset, maxWait, maxBytes, signal }: FetchRequest): Promise<FetchResult> {
    this.#up()
    const { log, waiting } = this.partition(topic, partition)
    if (offset > log.length) {
      throw new NarrativeError('LOG_TRUNCATED', { message: `${offset} is beyond ${topic}/${partition}` })
    }
    if (offset === log.length && maxWait > 0 && !signal?.aborted) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(() => wake(), maxWait)
        const wake = () => {
          clearTimeout(timer)
          signal?.removeEventListener('abort', wake)
          resolve()
        }
        waiting.push(wake)
        signal?.addEventListener('abort', wake, { once: true })
      })
      this.#up()
    }
    const count = Math.max(1, Math.floor(maxBytes / 1000))
    const records = log.slice(offset, offset + count).map((record, index) => fetched(record, offset + index))
    return { records, nextOffset: offset + records.length, highWatermark: log.length }
  }

  driver(intercept?: Intercept): KafkaDriver & { intercept: Intercept | undefined } {
    const broker = this
    return {
      intercept,
      async connect() {
        broker.#up()
      },
      async describeTopics(names) {
        broker.#up()
        const found = names.flatMap((name) => broker.topics.get(name)?.description ?? [])
        return new Map(found.map((topic) => [topic.name, topic]))
      },
      async createTopic(topic) {
        broker.createTopic(topic)
      },
      async initProducerId(transactionalId) {
        await turn()
        return broker.initProducerId(transactionalId)
      },
      async produce(batch) {
        await turn()
        const intercepted = await this.intercept?.(batch, () => broker.produce(batch))
        return intercepted ?? broker.produce(batch)
      },
      async fetch(request) {
        await turn()
        return broker.fetch(request)
      },
      async offsets(topic, partition) {
        broker.#up()
        return { start: 0, end: broker.partition(topic, partition).log.length }
      },
      // Every member is told that all is its own: the rivalry that a group prevents, and claims must survive. Asked
      // again, the group tells all but the newest that nothing is theirs.
      async joinGroup({ topics, onAssigned }) {
        const member = ++broker.members
        const all = Object.fromEntries(
          topics.map(({ name, partitions }) => [name, Array.from({ length: partitions }, (_, number) => number)]),
        )
        onAssigned(all, 0)
        broker.missRound = () => onAssigned(all, 2)
        return {
          sureUntil: 0,
          silentFor: 0,
          confirm: async () => (member < broker.members ? onAssigned({}, 1) : undefined),
          leave: async () => {},
          committed: async (topic, partition) => broker.offsets.get(`${topic}/${partition}`),
          commit: async (topic, partition, offset) => void broker.offsets.set(`${topic}/${partition}`, offset),
        }
      },
      async close() {},
    }
  }

  createTopic(topic: TopicSpecification): void {
    if (this.topics.has(topic.name)) return
    const description = { ...topic, settings: { 'max.message.bytes': '1048588', ...topic.settings } }
    const partitions = Array.from({ length: topic.partitions }, () => new Partition())
    this.topics.set(topic.name, { description, partitions })
  }

  #up(): void {
    if (this.down) throw new NarrativeError('BROKER_UNREACHABLE', { message: 'The broker is down.' })
  }
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

/** A record as a fetch would bring it. */
export function fetched(record: ProducerRecord & { readonly time: number }, offset: number): FetchedRecord {
  return {
    offset,
    time: record.time,
    key: record.key && Buffer.from(record.key),
    value: record.value && Buffer.from(record.value),
    header(name) {
      const found = record.headers.find(({ key }) => key === name)
      return found && Buffer.from(found.value as string).toString()
    },
    headers: () => record.headers.map(({ key, value }) => [key, Buffer.from(value as string)] as const),
  }
}
