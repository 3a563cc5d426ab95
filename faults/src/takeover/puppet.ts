// A driver on real brokers whose group says what it is told to say, and whose batches can be held up on their way.
import {
  type KafkaDriver,
  kafkajsDriver,
  type Membership,
  type ProduceOutcome,
  type RecordBatch,
} from '@narrative/kafka-eventstore'
import { until } from '../suite/pause.js'

const patience = 60_000

/** Always sure, and never told otherwise. */
const convinced: Membership = {
  sureUntil: Number.POSITIVE_INFINITY,
  silentFor: 0,
  confirm: async () => {},
  committed: async () => undefined,
  commit: async () => {},
  leave: async () => {},
}

export class Puppet {
  readonly #brokers: readonly string[]
  #mine: number[] = []
  #tell = () => {}
  /** The identity it writes each partition under, and the one it had when the trial began. */
  readonly #identities = new Map<number, string>()
  #before = new Map<number, string>()
  #gate: Promise<void> | undefined
  #open = () => {}
  #held = 0
  #outcomes = new Map<number, ProduceOutcome | undefined>()

  constructor(brokers: readonly string[]) {
    this.#brokers = brokers
  }

  readonly driver = (): KafkaDriver => {
    const driver = kafkajsDriver({ brokers: this.#brokers, requestTimeout: 5_000 })
    const send = driver.produce.bind(driver)
    const joinGroup: KafkaDriver['joinGroup'] = async ({ topics, onAssigned }) => {
      let generation = 0
      this.#tell = () => onAssigned(Object.fromEntries(topics.map(({ name }) => [name, this.#mine])), ++generation)
      this.#tell()
      return convinced
    }
    return Object.assign(driver, { joinGroup, produce: (batch: RecordBatch) => this.#produce(batch, send) })
  }

  /** What is its own from now on. */
  give(partitions: Iterable<number>): void {
    this.#mine = [...partitions]
    this.#tell()
  }

  /** What it sends from now on under the claims of now is noted, and held up until it is released. */
  beginTrial(hold: boolean): void {
    this.#before = new Map(this.#identities)
    this.#outcomes = new Map()
    this.#held = 0
    this.#gate = hold ? new Promise((open) => (this.#open = open)) : undefined
  }

  /** Resolves when so many batches are held up. */
  holds(batches: number): Promise<void> {
    return until(
      () => this.#held >= batches,
      patience,
      () => `${this.#held} batches are held up, not ${batches}.`,
    )
  }

  /** Lets them go; resolves with what became of the batch of each of so many zombies, when all have come to an end. */
  async release(partitions: number): Promise<readonly (ProduceOutcome | undefined)[]> {
    this.#gate = undefined
    this.#open()
    const lacking = () => `${this.#outcomes.size} zombies came to an end, not ${partitions}.`
    await until(() => this.#outcomes.size >= partitions, patience, lacking)
    return [...this.#outcomes.values()]
  }

  async #produce(batch: RecordBatch, send: KafkaDriver['produce']): Promise<ProduceOutcome> {
    const { topic, partition, identity } = batch
    if (!topic.endsWith('.events')) return send(batch)
    const writer = `${identity.producerId} ${identity.epoch}`
    this.#identities.set(partition, writer)
    const before = this.#before.get(partition)
    if (before !== writer) {
      // It saw by itself that its claim was over, without any broker's last word on its batch.
      if (before !== undefined && !this.#outcomes.has(partition)) this.#outcomes.set(partition, undefined)
      return send(batch)
    }
    if (this.#gate !== undefined) {
      this.#held++
      await this.#gate
    }
    const outcome = await send(batch)
    const final = outcome.outcome !== 'not-done' || outcome.reason !== 'retry'
    if (final) this.#outcomes.set(partition, outcome)
    return outcome
  }
}
