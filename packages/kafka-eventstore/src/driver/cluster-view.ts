// What is known of the cluster: its brokers and who leads which partition; asked for again as soon as it is doubted.
import { NarrativeError } from '@narrative/core'
import { firstAnswer } from './attempts.js'
import { type BrokerAddress, formatAddress } from './broker-address.js'
import { ConnectionFailure } from './broker-failure.js'
import type { ClusterMetadata, PartitionMetadata } from './metadata-request.js'

/** Milliseconds after which a silent broker is not waited for alone. */
const patience = 300

/** Asks one broker. */
export type AskMetadata = (address: BrokerAddress, topics: readonly string[]) => Promise<ClusterMetadata>

export class ClusterView {
  #brokers: ReadonlyMap<number, BrokerAddress> = new Map()
  #controllerId = -1
  readonly #leaders = new Map<string, ReadonlyMap<number, number>>()
  /** The newest epochs seen, and how many answers in a row were older than they. */
  readonly #epochs = new Map<string, { readonly of: ReadonlyMap<number, number>; older: number }>()
  readonly #wanted = new Set<string>()
  #refreshing: Promise<unknown> | undefined
  #turn = 0

  constructor(
    private readonly bootstrap: readonly BrokerAddress[],
    private readonly askMetadata: AskMetadata,
  ) {}

  /** Asks any broker for these topics. Every answer also brings the list of brokers up to date. */
  async ask(topics: readonly string[]): Promise<ClusterMetadata> {
    const metadata = await this.anyBroker((address) => this.askMetadata(address, topics))
    this.#brokers = metadata.brokers
    this.#controllerId = metadata.controllerId
    for (const { name, partitions } of metadata.topics) {
      if (this.#wanted.has(name) && this.#isNews(name, partitions)) this.#leaders.set(name, leadersOf(partitions))
    }
    return metadata
  }

  /**
   * The leader of a partition, looked up when it is not known.
   *
   * @throws ConnectionFailure when no broker could be asked, or none leads the partition at the moment
   */
  async leader(topic: string, partition: number): Promise<BrokerAddress> {
    const known = this.#leaderOf(topic, partition)
    if (known) return known
    this.#wanted.add(topic)
    // Who joins a lookup that began before the topic was wanted looks again.
    if (this.#refreshing) await this.#refreshing.catch(() => {})
    if (!this.#leaderOf(topic, partition)) await this.#refresh()
    const found = this.#leaderOf(topic, partition)
    if (found) return found
    this.doubt(topic)
    throw new ConnectionFailure(false, `No broker leads partition ${partition} of topic ${topic} at the moment`)
  }

  /** The broker that creates topics. */
  async controller(): Promise<BrokerAddress> {
    const known = this.#brokers.get(this.#controllerId)
    if (known) return known
    await this.ask([])
    const found = this.#brokers.get(this.#controllerId)
    if (found) return found
    throw new ConnectionFailure(false, 'The cluster has no controller at the moment')
  }

  /** Forgets the leaders of a topic: the next use looks them up. */
  doubt(topic: string): void {
    this.#leaders.delete(topic)
    this.#controllerId = -1
  }

  /**
   * Does something that any broker can do; each call begins with another broker, so that one which
   * lost touch with the cluster is not believed twice.
   *
   * @throws ConnectionFailure naming every address tried
   * @throws NarrativeError `BROKER_REFUSED` when every broker that answered refused
   */
  async anyBroker<T>(ask: (address: BrokerAddress) => Promise<T>): Promise<T> {
    const byAddress = new Map<string, BrokerAddress>()
    for (const address of [...this.#brokers.values(), ...this.bootstrap]) byAddress.set(formatAddress(address), address)
    const all = [...byAddress.values()]
    const first = this.#turn++ % all.length
    const candidates = [...all.slice(first), ...all.slice(0, first)]
    try {
      return await firstAnswer(candidates, patience, ask)
    } catch (error) {
      const { errors } = error as AggregateError
      const refusal = errors.find((failure) => failure instanceof NarrativeError)
      if (refusal) throw refusal
      throw new ConnectionFailure(false, errors.map((failure: Error) => failure.message).join('; '), errors[0])
    }
  }

  /**
   * A broker that is cut off from the others, and not from us, still tells of leaders that were replaced. It is not believed (KIP-320),
   * unless as many answers as there are brokers say the same: then the topic was made anew.
   */
  #isNews(topic: string, partitions: readonly PartitionMetadata[]): boolean {
    const known = this.#epochs.get(topic)
    const isOlder = partitions.some(({ leaderEpoch, partition }) => leaderEpoch < (known?.of.get(partition) ?? 0))
    if (known !== undefined && isOlder && ++known.older < this.#brokers.size) return false
    const of = new Map(partitions.map(({ leaderEpoch, partition }) => [partition, leaderEpoch]))
    this.#epochs.set(topic, { of, older: 0 })
    return true
  }

  #leaderOf(topic: string, partition: number): BrokerAddress | undefined {
    const id = this.#leaders.get(topic)?.get(partition)
    return id === undefined ? undefined : this.#brokers.get(id)
  }

  #refresh(): Promise<unknown> {
    this.#refreshing ??= this.ask([...this.#wanted]).finally(() => {
      this.#refreshing = undefined
    })
    return this.#refreshing
  }
}

function leadersOf(partitions: readonly PartitionMetadata[]): ReadonlyMap<number, number> {
  return new Map(partitions.filter(({ leader }) => leader >= 0).map(({ leader, partition }) => [partition, leader]))
}
