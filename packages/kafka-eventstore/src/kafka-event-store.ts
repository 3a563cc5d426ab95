// The public entry: options in, an EventStorage out.
import type { EventStorage } from '@narrative/core'
import { inspectKafka } from './inspect-kafka.js'
import { openKafkaStorage } from './open-kafka-storage.js'
import { type KafkaEventStoreOptions, settingsOf } from './options.js'

/**
 * Apache Kafka (3.0 or newer) as an event store: conditional appends by one fenced owner per partition, lookup by key.
 *
 * Opening it creates or verifies the topics, joins the group of this service's instances, claims the partitions that
 * the group assigns and reads them from the beginning. Opened for no categories it only reads, and
 * joins nothing; a stream is then found by reading its partition from the beginning.
 *
 * @throws NarrativeError from `open`: `BROKER_UNREACHABLE`, `BROKER_REFUSED`, `TOPIC_INVALID`, `TOPIC_REFUSED`,
 * `NOT_OWNER`, `LOG_CORRUPT`, `LOG_TRUNCATED`
 * @example
 * ```ts
 * const app = await createApplication({
 *   aggregates: [Order],
 *   eventStore: kafkaEventStore({ brokers: ['localhost:9092'], context: 'shop' }),
 * })
 * ```
 */
export function kafkaEventStore(options: KafkaEventStoreOptions): EventStorage {
  const settings = settingsOf(options)
  return {
    name: 'kafka',
    open: (context) => openKafkaStorage(settings, context),
    inspect: (context) => inspectKafka(settings, context),
  }
}
