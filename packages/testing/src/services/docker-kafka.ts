// Kafka in a container; testcontainers is loaded only when it is needed.
import type { Logger } from '@narrative/core'
import { kafkaAnswers } from './kafka-ping.js'
import { announced } from './progress.js'
import { waitUntil } from './wait-until.js'

/** Kafka 4.1, the version that the local jars have too. */
const image = 'confluentinc/cp-kafka:8.1.0'

/** A broker in a container, which testcontainers removes even when this process is killed. */
export async function startDockerKafka(logger: Logger): Promise<{ brokers: string[]; stop(): Promise<void> }> {
  const { KafkaContainer } = await import('@testcontainers/kafka')
  const container = new KafkaContainer(image).withEnvironment({
    // One broker cannot hold three replicas; without these, transactional ids never get a coordinator.
    KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR: '1',
    KAFKA_TRANSACTION_STATE_LOG_MIN_ISR: '1',
    KAFKA_SHARE_COORDINATOR_STATE_TOPIC_REPLICATION_FACTOR: '1',
    KAFKA_SHARE_COORDINATOR_STATE_TOPIC_MIN_ISR: '1',
  })
  const started = await announced(logger, `Starting Kafka in Docker (${image})`, 3_000, () => container.start())
  const [host, port] = [started.getHost(), started.getMappedPort(9093)]
  if (!(await waitUntil(() => kafkaAnswers(host, port), 30_000))) {
    await started.stop()
    throw new Error(`the container of ${image} started, but no broker answers at ${host}:${port}`)
  }
  return {
    brokers: [`${host}:${port}`],
    stop: async () => void (await started.stop()),
  }
}
