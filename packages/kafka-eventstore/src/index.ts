// The public API of @narrative/kafka-eventstore, name by name. Whatever is not listed here is not public.
export type {
  FetchedRecord,
  FetchRequest,
  FetchResult,
  GroupOptions,
  KafkaDriver,
  Membership,
  PartitionOffsets,
  ProduceOutcome,
  ProducerIdentity,
  ProducerRecord,
  RecordBatch,
  RecordHeader,
  TopicDescription,
  TopicSpecification,
} from './driver/kafka-driver.js'
export { type KafkajsDriverOptions, kafkajsDriver } from './driver/kafkajs-driver.js'
export { kafkaEventStore } from './kafka-event-store.js'
export type { KafkaEventStoreOptions } from './options.js'
export { type DiskReplicaOptions, diskReplica } from './replica/disk-replica.js'
export type { ReplicaPlace, ReplicaStorage } from './replica/replica.js'
