// The public API of @narrative/core, name by name. Whatever is not listed here is not public.
import 'reflect-metadata'

export type { ApplicationPart, PartContext } from './application/application-part.js'
export type { EventCodec } from './codec/event-codec.js'
export type { EventType, Upcaster } from './codec/event-type.js'
export type {
  AggregateDefinition,
  CommandContext,
  CommandDefinition,
  Decision,
  EventContext,
  ServiceId,
} from './definition/aggregate-definition.js'
export { DomainError, isDomainError } from './errors/domain-error.js'
export { type ErrorCode, errorCodes } from './errors/error-codes.js'
export { isNarrativeError, NarrativeError } from './errors/narrative-error.js'
export type { CheckpointStore } from './event-store/checkpoint-store.js'
export { type Clock, systemClock } from './event-store/clock.js'
export type { Checkpoint, EventBatch, EventLog, LogPartition, SubscribeOptions } from './event-store/event-log.js'
export type { EventStorage, Health, OpenStorage, StorageContext } from './event-store/event-storage.js'
export type {
  Appended,
  AppendOptions,
  AppendResult,
  Conflict,
  EventStore,
  ExpectedVersion,
  ReadOptions,
} from './event-store/event-store.js'
export { type Logger, silentLogger, stderrLogger } from './event-store/logger.js'
export type { NewEvent, RecordedEvent } from './event-store/recorded-event.js'
export type { Snapshot, SnapshotStore } from './event-store/snapshot-store.js'
export { InMemoryCheckpointStore } from './in-memory/in-memory-checkpoint-store.js'
export {
  type InMemoryEventStorage,
  type InMemoryEventStoreOptions,
  inMemoryEventStore,
} from './in-memory/in-memory-event-store.js'
export { InMemorySnapshotStore } from './in-memory/in-memory-snapshot-store.js'
export type { MessageMetadata } from './messages/metadata.js'
export { formatPosition, type Position, parsePosition } from './messages/position.js'
export { aggregateIdOf, categoryOf, isCategory, type StreamId, toStreamId } from './messages/stream-id.js'
