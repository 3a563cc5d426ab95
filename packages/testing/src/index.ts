// The public API of @narrative/testing, name by name. Whatever is not listed here is not public.
export { checkpointStoreContract } from './contracts/checkpoint-store-contract.js'
export type { ContractCase } from './contracts/contract-case.js'
export { eventLogContract } from './contracts/event-log-contract.js'
export { eventStoreContract } from './contracts/event-store-contract.js'
export { snapshotStoreContract } from './contracts/snapshot-store-contract.js'
export { type FaultyEventStore, faultyEventStore, type Held } from './faults/faulty-event-store.js'
export type { Expectation, RejectionExpectation, StateExpectation } from './given-when-then/expectation.js'
export { type Given, given, type When } from './given-when-then/given.js'
export { type FoldedRow, type FoldedTables, type Projecting, projecting } from './given-when-then/projecting.js'
export type { GivenOptions } from './given-when-then/run-story.js'
export type { ProjectingOptions } from './given-when-then/run-view.js'
export type { Services } from './given-when-then/services-part.js'
export type { PostgresAddress } from './given-when-then/view-store.js'
export { type KafkaProxy, type KafkaProxyOptions, kafkaProxy } from './kafka-proxy/kafka-proxy.js'
export type { KafkaRole } from './services/kafka-roles.js'
export type { KafkaBroker, KafkaBrokerOptions } from './services/local-kafka.js'
export type { KafkaCluster, KafkaClusterOptions, KafkaNode } from './services/local-kafka-cluster.js'
export { type ReadTopicOptions, readTopic, type TopicRecord } from './services/read-topic.js'
export type { ServiceSource } from './services/service-source.js'
export { type KafkaService, startKafka } from './services/start-kafka.js'
export {
  type OwnPostgres,
  type PostgresOptions,
  type PostgresService,
  startPostgres,
} from './services/start-postgres.js'
export { uniqueName } from './services/unique-name.js'
export { at, type SettableClock } from './settable-clock.js'
