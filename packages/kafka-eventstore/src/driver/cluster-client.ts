// A cluster as one thing to ask: finds the right broker and connection, asks again when that is safe, and tells what
// went wrong in Narrative's terms. What is asked stands in the files beside it.
import { setMaxListeners } from 'node:events'
import { NarrativeError } from '@narrative/core'
import { repeatUntil } from './attempts.js'
import { type BrokerAddress, parseAddress } from './broker-address.js'
import { brokerError } from './broker-error.js'
import { ProtocolFailure } from './broker-failure.js'
import { BrokerLink } from './broker-link.js'
import { BrokerLinks } from './broker-links.js'
import { ClusterView } from './cluster-view.js'
import { type ConnectionSettings, type KafkajsInternals, loadKafkajs } from './kafkajs-internals.js'
import { metadataRequest, readMetadataAnswer } from './metadata-request.js'

/** What the client needs to know: the driver's options, made whole. */
export interface ClusterSettings extends Omit<ConnectionSettings, 'host' | 'port'> {
  readonly brokers: readonly string[]
}

export class ClusterClient {
  readonly links: BrokerLinks
  readonly view: ClusterView
  readonly #kafkajs: KafkajsInternals
  readonly #closing = new AbortController()

  constructor(readonly settings: ClusterSettings) {
    const { brokers, ...connection } = settings
    // As many wait for it as there are connections and requests: that is no leak.
    setMaxListeners(0, this.closing)
    this.#kafkajs = loadKafkajs()
    this.links = new BrokerLinks(({ host, port }) =>
      BrokerLink.open(this.#kafkajs, { ...connection, host, port }, this.closing),
    )
    this.view = new ClusterView(brokers.map(parseAddress), async (address, topics) => {
      const link = await this.control(address)
      return readMetadataAnswer(
        await link.send(metadataRequest(topics, connection.clientId, connection.requestTimeout)),
      )
    })
  }

  /** Aborted by {@link ClusterClient.close}, with the error to give. */
  get closing(): AbortSignal {
    return this.#closing.signal
  }

  /** The connection for rare requests to a broker. */
  control(address: BrokerAddress): Promise<BrokerLink> {
    return this.links.shared(address, 'control')
  }

  /**
   * Repeats `attempt` while its failure may pass, for the request timeout, and at most until the client is closed.
   *
   * @throws NarrativeError what became of it; the signal's reason when that was aborted
   */
  async perform<T>(work: Work<T>): Promise<T> {
    const { topic, what, within = this.settings.requestTimeout } = work
    const signals = work.signal ? [this.closing, work.signal] : [this.closing]
    const onPassing = topic === undefined ? undefined : () => this.view.doubt(topic)
    try {
      return await repeatUntil({ within, signals, onPassing }, work.attempt)
    } catch (error) {
      for (const signal of signals) signal.throwIfAborted()
      throw brokerError(error, what, this.settings.brokers)
    }
  }

  /** The failure of an error code; nothing for code 0. */
  failure(code: number, message?: string | null): ProtocolFailure | undefined {
    if (code === 0) return undefined
    const known = this.#kafkajs.describeError(code)
    return new ProtocolFailure(code, known.type, message ?? known.message)
  }

  /** Throws the failure of an error code other than 0. */
  check(code: number, message?: string | null): void {
    const failure = this.failure(code, message)
    if (failure) throw failure
  }

  /** Ends what is in flight, and all connections. */
  close(): void {
    if (this.closing.aborted) return
    const reason = new NarrativeError('STORE_CLOSED', { message: 'The connection to Kafka was closed.' })
    this.#closing.abort(reason)
    this.links.close(reason)
  }
}

/** Something to do with the cluster that may be done more than once. */
export interface Work<T> {
  /** The beginning of a sentence: "Reading orders-3". */
  readonly what: string
  /** Whose leaders are doubted after a passing failure. */
  readonly topic?: string
  readonly signal?: AbortSignal
  readonly within?: number
  attempt(): Promise<T>
}
