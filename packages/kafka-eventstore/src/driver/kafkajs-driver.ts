// The driver on kafkajs: its sockets, TLS and SASL; our own produce and fetch.
import { type Logger, NarrativeError, silentLogger } from '@narrative/core'
import type { KafkaConfig } from 'kafkajs'
import { type BrokerAddress, perBroker } from './broker-address.js'
import { brokerError } from './broker-error.js'
import { ConnectionFailure, isPassing } from './broker-failure.js'
import { ClusterClient } from './cluster-client.js'
import { GroupMember } from './group-member.js'
import type {
  FetchRequest,
  FetchResult,
  GroupOptions,
  KafkaDriver,
  Membership,
  PartitionOffsets,
  ProduceOutcome,
  ProducerIdentity,
  RecordBatch,
} from './kafka-driver.js'
import { partitionOffsets } from './partition-offsets.js'
import { doubtsLeader, failedOutcome } from './produce-outcome.js'
import { ProduceQueue } from './produce-queue.js'
import { decodeRecordBatches } from './record-batch-decoder.js'
import { fetchTogether, SharedFetches } from './shared-fetches.js'
import { createTopic, describeTopics } from './topic-admin.js'

/** Options of {@link kafkajsDriver}. */
export interface KafkajsDriverOptions {
  /** Bootstrap addresses, `host:port`. One that is up is enough; the others are found through it. */
  readonly brokers: readonly string[]
  /** Name shown in the brokers' logs and quotas. Default `narrative`. */
  readonly clientId?: string
  /** TLS, as in kafkajs. */
  readonly ssl?: KafkaConfig['ssl']
  /** SASL, as in kafkajs. */
  readonly sasl?: KafkaConfig['sasl']
  /** Milliseconds for a connection to be opened and authenticated, and for {@link KafkaDriver.connect}. Default 5,000. */
  readonly connectionTimeout?: number
  /** Milliseconds for the answer to a request; an idempotent one is repeated for as long. Default 30,000. */
  readonly requestTimeout?: number
  readonly logger?: Logger
}

/** Connections per coordinator for claims: who takes over many partitions at once waits less. */
const claimSlots = 4
const outOfRange = 1
const transactionCoordinator = 1

/**
 * A driver for Kafka 2.4 and newer.
 *
 * @throws NarrativeError `BROKER_REFUSED` when an address is malformed or kafkajs is not the version it is built on
 * @example
 * ```ts
 * const driver = kafkajsDriver({ brokers: ['localhost:9092'] })
 * await driver.connect()
 * const identity = await driver.initProducerId('order.events-0')
 * ```
 */
export function kafkajsDriver(options: KafkajsDriverOptions): KafkaDriver {
  return new KafkajsDriver(options)
}

class KafkajsDriver implements KafkaDriver {
  readonly #client: ClusterClient
  readonly #batchesTo: (broker: BrokerAddress) => ProduceQueue
  readonly #fetchesFrom: (broker: BrokerAddress) => SharedFetches

  constructor(options: KafkajsDriverOptions) {
    this.#client = new ClusterClient({
      brokers: options.brokers,
      clientId: options.clientId ?? 'narrative',
      ssl: options.ssl,
      sasl: options.sasl,
      connectionTimeout: options.connectionTimeout ?? 5_000,
      requestTimeout: options.requestTimeout ?? 30_000,
      logger: options.logger ?? silentLogger,
    })
    this.#batchesTo = perBroker((address) => new ProduceQueue(this.#client, address))
    this.#fetchesFrom = perBroker((address) => new SharedFetches(this.#client, address))
  }

  async connect(): Promise<void> {
    const within = this.#client.settings.connectionTimeout
    await this.#client.perform({ what: 'Connecting to Kafka', within, attempt: () => this.#client.view.ask([]) })
  }

  describeTopics(names: readonly string[]) {
    return describeTopics(this.#client, names)
  }

  createTopic(topic: Parameters<KafkaDriver['createTopic']>[0]) {
    return createTopic(this.#client, topic)
  }

  initProducerId(transactionalId: string): Promise<ProducerIdentity> {
    const client = this.#client
    const slot = claimSlot(transactionalId)
    const attempt = async () => {
      const found = await client.view.anyBroker(async (address) => {
        const link = await client.control(address)
        const input = { groupId: transactionalId, coordinatorType: transactionCoordinator }
        return link.control('GroupCoordinator', input)
      })
      client.check(found.errorCode)
      const link = await client.links.shared(found.coordinator, slot)
      const answer = await link.control('InitProducerId', { transactionalId, transactionTimeout: 60_000 })
      client.check(answer.errorCode)
      return { producerId: BigInt(answer.producerId), epoch: answer.producerEpoch as number }
    }
    return client.perform({ what: `Claiming the transactional id ${transactionalId}`, attempt })
  }

  async produce(batch: RecordBatch): Promise<ProduceOutcome> {
    const client = this.#client
    const { partition, topic } = batch
    const tell = (failure: unknown): Error => {
      if (client.closing.aborted) return client.closing.reason
      return brokerError(failure, `Appending to ${topic}-${partition}`, client.settings.brokers)
    }
    try {
      const answer = await this.#batchesTo(await client.view.leader(topic, partition)).send(batch)
      if (answer.code === 0 && answer.baseOffset >= 0) return { outcome: 'done', baseOffset: answer.baseOffset }
      if (doubtsLeader(answer.code)) client.view.doubt(topic)
      const failure = client.failure(answer.code, answer.message) ?? new Error('The broker gave no offset')
      return failedOutcome(answer.code, tell(failure))
    } catch (failure) {
      client.view.doubt(topic)
      if (failure instanceof ConnectionFailure && failure.written) return { outcome: 'unknown', error: tell(failure) }
      // A broker that was not there may be there in a moment; what is wrong with the batch or the rights stays wrong.
      return { outcome: 'not-done', reason: isPassing(failure) ? 'retry' : 'refused', error: tell(failure) }
    }
  }

  fetch(request: FetchRequest): Promise<FetchResult> {
    const { partition, signal, topic } = request
    const attempt = () => this.#fetchOnce(request)
    return this.#client.perform({ what: `Reading ${topic}-${partition}`, topic, signal, attempt })
  }

  offsets(topic: string, partition: number): Promise<PartitionOffsets> {
    const attempt = () => partitionOffsets(this.#client, topic, partition)
    return this.#client.perform({ what: `Reading the offsets of ${topic}-${partition}`, topic, attempt })
  }

  async joinGroup(options: GroupOptions): Promise<Membership> {
    const member = new GroupMember(this.#client, options)
    await member.start()
    return member
  }

  async close(): Promise<void> {
    this.#client.close()
  }

  async #fetchOnce(request: FetchRequest): Promise<FetchResult> {
    const { view } = this.#client
    const { offset, partition, topic } = request
    const leader = await view.leader(topic, partition)
    const answer = request.shared
      ? await this.#fetchesFrom(leader).fetch(request)
      : (await fetchTogether(this.#client, leader, [request]))[0]!
    const { batches, code, highWatermark } = answer
    if (code === outOfRange) {
      view.doubt(topic) // one that was replaced and does not know it has a shorter log
      const range = await this.offsets(topic, partition)
      if (offset < range.start || offset > range.end) throw truncated(request, range)
      throw new ConnectionFailure(false, `Broker ${leader.host}:${leader.port} no longer leads ${topic}-${partition}`)
    }
    this.#client.check(code)
    return { ...decodeRecordBatches(batches, offset, request), highWatermark }
  }
}

function truncated({ offset, partition, topic }: FetchRequest, { end, start }: PartitionOffsets): NarrativeError {
  const message =
    `Offset ${offset} of ${topic}-${partition} is not in the log, which holds ${start} to ${end}: the topic was ` +
    'recreated, its records were deleted, or replicas lost them. Find out which before anything is rebuilt from it.'
  return new NarrativeError('LOG_TRUNCATED', { message, details: { topic, partition, offset, start, end } })
}

function claimSlot(transactionalId: string): string {
  let hash = 0
  for (let i = 0; i < transactionalId.length; i++) hash = (hash * 31 + transactionalId.charCodeAt(i)) | 0
  return `claim ${Math.abs(hash % claimSlots)}`
}
