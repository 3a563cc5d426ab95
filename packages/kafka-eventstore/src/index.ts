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
export { type KafkaEventStorage, kafkaEventStore } from './kafka-event-store.js'
export type { KafkaStorage } from './kafka-storage.js'
export type { KafkaEventStoreOptions } from './options.js'
export type { PartitionStatus } from './partition-owner.js'
export { type DiskReplicaOptions, diskReplica } from './replica/disk-replica.js'
export type { ReplicaPlace, ReplicaStorage } from './replica/replica.js'
