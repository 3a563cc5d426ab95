// What a user may say about the event store, and the defaults.
import type { Logger } from '@narrative/core'
import type { QueueLimits } from './append-queue.js'
import type { KafkaDriver } from './driver/kafka-driver.js'
import { type KafkajsDriverOptions, kafkajsDriver } from './driver/kafkajs-driver.js'
import { MemoryReplica } from './replica/memory-replica.js'
import type { ReplicaStorage } from './replica/replica.js'

/** Options of {@link kafkaEventStore}. */
export interface KafkaEventStoreOptions {
  /** Addresses to begin with, `host:port`. */
  readonly brokers: readonly string[]
  /** The bounded context: first part of the topic names `<context>.<category>.events`; default none. */
  readonly context?: string
  /** Partitions of topics that do not exist yet; default 4. The count is fixed for the life of a topic. */
  readonly partitions?: number
  /** Replication factor of topics that do not exist yet; default the broker's. In production: 3. */
  readonly replicationFactor?: number
  /** How this instance calls itself towards Kafka and in its claims; default `narrative`. */
  readonly clientId?: string
  /** The consumer group by which instances share the partitions; default the context, or `narrative`. */
  readonly group?: string
  /**
   * A name that this instance keeps over restarts and no other has, such as a pod's in a StatefulSet: killed and started
   * again, it goes on after a second with what it had. Default none: then its session ends first (`sessionTimeout`).
   */
  readonly instanceId?: string
  /** Milliseconds of silence after which an instance counts as gone, and others take its partitions; default 6,000. */
  readonly sessionTimeout?: number
  /**
   * How many other instances keep a copy of each partition, so that one of them takes it over by reading only the tail;
   * default 0. The same at every instance.
   */
  readonly standbys?: number
  /** TLS, as in kafkajs: `true`, or the options of `tls.connect`. */
  readonly ssl?: KafkajsDriverOptions['ssl']
  /** SASL, as in kafkajs: `{ mechanism, username, password }` and others. */
  readonly sasl?: KafkajsDriverOptions['sasl']
  /** How long an append waits for a broker, milliseconds; default 30,000. */
  readonly appendTimeout?: number
  /** Where this instance keeps its copy of its partitions, for lookups by key; default in memory. See {@link diskReplica}. */
  readonly replica?: ReplicaStorage
  /** Another way to reach Kafka; default kafkajs. Called at each opening. */
  readonly driver?: (logger: Logger) => KafkaDriver
}

/** Options with everything decided. */
export interface Settings {
  readonly brokers: readonly string[]
  readonly context: string | undefined
  readonly partitions: number
  readonly replicationFactor: number
  readonly clientId: string
  readonly group: string
  readonly instanceId: string | undefined
  readonly sessionTimeout: number
  readonly standbys: number
  readonly appendTimeout: number
  readonly startTimeout: number
  readonly renewAfter: number
  readonly queueLimits: QueueLimits
  readonly maxBatchRecords: number
  readonly replicas: ReplicaStorage
  createDriver(logger: Logger): KafkaDriver
}

const hour = 3_600_000
/** Well below the time a caller waits: a silent broker is asked again while there is somebody to tell. */
const requestTimeout = 10_000

/** The options with everything decided. */
export function settingsOf(options: KafkaEventStoreOptions): Settings {
  const { context, partitions = 4, replicationFactor = -1, clientId = 'narrative', appendTimeout = 30_000 } = options
  if (!Number.isInteger(partitions) || partitions < 1) throw new RangeError('partitions must be a whole number from 1')
  return {
    brokers: options.brokers,
    context,
    partitions,
    replicationFactor,
    clientId,
    group: options.group ?? context ?? 'narrative',
    instanceId: options.instanceId,
    sessionTimeout: options.sessionTimeout ?? 6_000,
    standbys: options.standbys ?? 0,
    appendTimeout,
    startTimeout: appendTimeout,
    // Brokers forget an idle producer after a day (producer.id.expiration.ms), coordinators after seven.
    renewAfter: 12 * hour,
    queueLimits: { maxAppends: 10_000, maxBytes: 64 * 1024 * 1024 },
    maxBatchRecords: 2_000,
    replicas: options.replica ?? { create: ({ topic, partition }) => new MemoryReplica(topic, partition) },
    createDriver: (logger) => {
      const { brokers, driver, ssl, sasl } = options
      return driver?.(logger) ?? kafkajsDriver({ brokers, clientId, ssl, sasl, requestTimeout, logger })
    },
  }
}
