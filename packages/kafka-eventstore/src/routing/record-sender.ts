// Sends records to partitions of any topic, each once: one batch in flight per partition, repeated under its sequence.
//
// A request must not be in the topic twice: a copy of one that was refused could be carried out later. So the sender is
// an idempotent producer: the broker recognises a repeated batch.
import { type Clock, NarrativeError } from '@narrative/core'
import { Backoff } from '../backoff.js'
import type { KafkaDriver, ProducerIdentity, ProducerRecord } from '../driver/kafka-driver.js'

interface Waiting {
  readonly record: ProducerRecord
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

interface Lane {
  readonly topic: string
  readonly partition: number
  waiting: Waiting[]
  /** The next sequence number under `identity`. */
  sequence: number
  identity: ProducerIdentity | undefined
  running: Promise<void> | undefined
}

/** What waits for a partition at most. */
const maxWaiting = 10_000
const maxBatchRecords = 500
const maxBatchBytes = 900_000
/** As long as a caller waits who names no deadline: a reply that is given up before is waited for in vain. */
const patience = 30_000
const lastPatience = 10_000

export class RecordSender {
  readonly #driver: KafkaDriver
  readonly #clock: Clock
  /** Names the producer towards the broker; of this sender alone. */
  readonly #id: string
  readonly #lanes = new Map<string, Lane>()
  #identity: Promise<ProducerIdentity> | undefined
  #closing = false

  constructor(driver: KafkaDriver, clock: Clock, id: string) {
    this.#driver = driver
    this.#clock = clock
    this.#id = id
  }

  /**
   * Resolves when the record is in the log.
   * @throws NarrativeError `STORE_BUSY`, `BROKER_UNREACHABLE`: certainly not sent; `OUTCOME_UNKNOWN`
   */
  async send(topic: string, partition: number, record: ProducerRecord): Promise<void> {
    const name = `${topic}/${partition}`
    let lane = this.#lanes.get(name)
    if (lane === undefined) {
      lane = { topic, partition, waiting: [], sequence: 0, identity: undefined, running: undefined }
      this.#lanes.set(name, lane)
    }
    if (lane.waiting.length >= maxWaiting) {
      throw new NarrativeError('STORE_BUSY', {
        message: `${maxWaiting} messages already wait for ${name}: send fewer at a time, or repeat this one later with the same command id.`,
        details: { partition: name, waiting: maxWaiting },
      })
    }
    const { waiting } = lane
    const sent = new Promise<void>((resolve, reject) => waiting.push({ record, resolve, reject }))
    lane.running ??= this.#run(lane)
    return sent
  }

  /** Resolves when nothing is under way any more: what was sent, and what cannot be sent soon. */
  async close(): Promise<void> {
    this.#closing = true
    await Promise.all([...this.#lanes.values()].map(({ running }) => running))
  }

  async #run(lane: Lane): Promise<void> {
    while (lane.waiting.length > 0) {
      await new Promise<void>((resolve) => setImmediate(resolve)) // whoever sends in this turn flies along
      const batch = take(lane)
      try {
        await this.#produce(lane, batch)
        for (const { resolve } of batch) resolve()
      } catch (error) {
        for (const { reject } of batch) reject(error)
      }
    }
    lane.running = undefined
  }

  async #produce(lane: Lane, batch: readonly Waiting[]): Promise<void> {
    const { topic, partition } = lane
    this.#identity ??= this.#driver.initProducerId(this.#id)
    let identity: ProducerIdentity
    try {
      identity = await this.#identity
    } catch (error) {
      this.#identity = undefined
      throw error
    }
    if (lane.identity !== identity) {
      lane.identity = identity
      lane.sequence = 0
    }
    const records = batch.map(({ record }) => record)
    const request = { topic, partition, identity, sequence: lane.sequence, time: this.#clock.now(), records }
    const backoff = new Backoff(10, 500)
    const began = performance.now()
    let doubtful = false
    for (;;) {
      const outcome = await this.#driver.produce(request)
      if (outcome.outcome === 'done') {
        lane.sequence += records.length
        return
      }
      doubtful ||= outcome.outcome === 'unknown'
      const again = outcome.outcome === 'unknown' || outcome.reason === 'retry'
      if (!again || performance.now() - began > (this.#closing ? lastPatience : patience)) {
        this.#identity = undefined // whatever became of this batch, the next one begins under another name
        throw unsent(doubtful, `${topic}/${partition}`, outcome.error)
      }
      await backoff.pause()
    }
  }
}

function take(lane: Lane): Waiting[] {
  let bytes = 0
  let count = 0
  for (const { record } of lane.waiting) {
    bytes += (record.value?.length ?? 0) + (record.key?.length ?? 0) + 256
    if (count > 0 && (bytes > maxBatchBytes || count === maxBatchRecords)) break
    count++
  }
  return lane.waiting.splice(0, count)
}

function unsent(doubtful: boolean, name: string, cause: Error): NarrativeError {
  return doubtful
    ? new NarrativeError('OUTCOME_UNKNOWN', {
        message: `A message to ${name} was sent and its outcome could not be learned. Repeat it with the same command id: it will act once.`,
        details: { partition: name },
        cause,
      })
    : new NarrativeError('BROKER_UNREACHABLE', {
        message: `A message to ${name} could not be sent: ${cause.message}`,
        details: { partition: name },
        cause,
      })
}
