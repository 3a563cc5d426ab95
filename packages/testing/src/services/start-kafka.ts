// Real Kafka for tests, benches and the sample: from the environment, from Docker, or from its published jars.
import { type Logger, NarrativeError, stderrLogger } from '@narrative/core'
import { findDockerEngine } from './docker-engine.js'
import { startDockerKafka } from './docker-kafka.js'
import { oldestJava } from './java.js'
import { kafkaAnswers } from './kafka-ping.js'
import { type KafkaBroker, type KafkaBrokerOptions, startLocalKafka } from './local-kafka.js'
import { type KafkaCluster, type KafkaClusterOptions, startLocalKafkaCluster } from './local-kafka-cluster.js'
import { firstThatWorks, type ServiceSource } from './service-source.js'

/** Names brokers that tests may create topics on: `host:port,host:port`. */
export const kafkaVariable = 'NARRATIVE_KAFKA_BROKERS'

/** A Kafka that runs. */
export interface KafkaService {
  /** `host:port` of each broker, for clients without credentials. */
  readonly brokers: string[]
  readonly source: ServiceSource
  /** Stops what was started; does nothing to brokers that came from the environment. */
  stop(): Promise<void>
}

/** What to install when there is no Kafka. */
export const kafkaRemedy = [
  `set ${kafkaVariable}=host:port to a Kafka that tests may create topics on`,
  'start Docker (an engine, not only the client)',
  `install Java ${oldestJava} or newer and Maven; the Kafka jars (54 MB) are then downloaded once`,
]

/**
 * Starts Kafka, or finds the one that is there.
 *
 * Without options: brokers named by `NARRATIVE_KAFKA_BROKERS` (within a vitest run: the one broker that all its tests
 * share), else a container, else a broker from its jars. With options, even `{}`: a broker of one's own whose process can
 * be killed and restarted, which neither the environment nor Docker can give; it always comes from the jars. With
 * `{ nodes: 3 }`: a cluster of three such brokers.
 *
 * @throws NarrativeError `SERVICE_MISSING` with everything that was tried and what to install
 * @example
 * ```ts
 * const kafka = await startKafka()
 * const client = new Kafka({ brokers: kafka.brokers })
 * await kafka.stop()
 *
 * const own = await startKafka({ settings: { 'message.max.bytes': '100000' } })
 * await own.kill('SIGKILL')
 * await own.restart() // same address, same data
 *
 * const cluster = await startKafka({ nodes: 3 })
 * cluster.nodes[0].pause()
 * ```
 */
export async function startKafka(): Promise<KafkaService>
export async function startKafka(options: KafkaBrokerOptions, logger?: Logger): Promise<KafkaBroker>
export async function startKafka(options: KafkaClusterOptions, logger?: Logger): Promise<KafkaCluster>
export async function startKafka(
  options?: KafkaBrokerOptions | KafkaClusterOptions,
  logger: Logger = stderrLogger('info'),
): Promise<KafkaService | KafkaBroker | KafkaCluster> {
  if (options !== undefined && 'nodes' in options) {
    const start = () => startLocalKafkaCluster(options, logger)
    return firstThatWorks(
      'A Kafka cluster of its own (this test kills its brokers)',
      [{ source: 'local', start }],
      [kafkaRemedy[2] ?? ''],
    )
  }
  const local = { source: 'local' as const, start: () => startLocalKafka(options ?? {}, logger) }
  if (options !== undefined) {
    return firstThatWorks(
      'A Kafka broker of its own (this test kills or configures it)',
      [local],
      [kafkaRemedy[2] ?? ''],
    )
  }
  const named = process.env[kafkaVariable]
  if (named) return fromEnvironment(named)
  return firstThatWorks<KafkaService>(
    'Kafka',
    [{ source: 'docker', start: () => fromDocker(logger) }, local],
    kafkaRemedy,
  )
}

/** Addresses that were given and do not answer are an error: nobody should wonder which Kafka was used. */
async function fromEnvironment(named: string): Promise<KafkaService> {
  const brokers = named.split(',').map((broker) => broker.trim())
  for (const broker of brokers) {
    const { hostname, port } = new URL(`kafka://${broker}`)
    if (await kafkaAnswers(hostname, Number(port || 9092), 5_000)) {
      return { brokers, source: 'environment', stop: async () => {} }
    }
  }
  throw new NarrativeError('SERVICE_MISSING', {
    message: `${kafkaVariable} is set to ${named}, but no Kafka broker answers there. Start it, or unset the variable.`,
    details: { service: 'Kafka', tried: [{ source: 'environment', reason: `${named} does not answer` }] },
  })
}

async function fromDocker(logger: Logger): Promise<KafkaService> {
  const engine = await findDockerEngine()
  if ('missing' in engine) throw new Error(engine.missing)
  return { ...(await startDockerKafka(logger)), source: 'docker' }
}
