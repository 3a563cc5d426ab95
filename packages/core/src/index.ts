// The public API of @narrative/core, name by name. Whatever is not listed here is not public.
import 'reflect-metadata'

export type {
  AggregateReader,
  AggregateState,
  DecodedEvent,
  StateOptions,
  Until,
} from './application/aggregate-reader.js'
export type { ApplicationPart, PartContext } from './application/application-part.js'
export {
  type Application,
  type ApplicationOptions,
  type ApplicationStatus,
  createApplication,
} from './application/create-application.js'
export { createEventCodec } from './codec/create-event-codec.js'
export type { EventCodec } from './codec/event-codec.js'
export type { EventType, Upcaster } from './codec/event-type.js'
export { type AmbientMetadata, currentMetadata, runWithMetadata } from './command-handling/ambient-metadata.js'
export type { CommandBus, CommandInfo, CommandMiddleware, CommandOptions } from './command-handling/command-bus.js'
export type { CommandResult } from './command-handling/command-result.js'
export {
  type CommandValidator,
  declaredValidation,
  noValidation,
  type Violation,
} from './command-handling/command-validator.js'
export { fromJson } from './command-handling/from-json.js'
export type { LoadedAggregate } from './command-handling/loaded-aggregate.js'
export type { DomainErrorClasses } from './command-handling/routed-error.js'
export {
  Aggregate,
  type AggregateOptions,
  CommandHandler,
  EventHandler,
  type SnapshotState,
} from './decorators/aggregate-decorators.js'
export { eventTypeOf } from './decorators/event-type-of.js'
export { AggregateId, Command, Event, type EventOptions, Query } from './decorators/message-decorators.js'
export { QueryHandler, type QueryHandlerOptions } from './decorators/query-handler.js'
export { type AggregateReading, readAggregate } from './decorators/read-aggregate.js'
export type { SignatureError } from './decorators/signatures.js'
export type {
  AggregateDefinition,
  CommandContext,
  CommandDefinition,
  Decision,
  EventContext,
  ServiceId,
  SnapshotPolicy,
} from './definition/aggregate-definition.js'
export { type Decider, defineDecider, type Message } from './definition/define-decider.js'
export { DomainError, isDomainError } from './errors/domain-error.js'
export { type ErrorCode, errorCodes } from './errors/error-codes.js'
export { isNarrativeError, NarrativeError } from './errors/narrative-error.js'
export type { CheckpointStore } from './event-store/checkpoint-store.js'
export { type Clock, systemClock } from './event-store/clock.js'
export type { CommandRouter, RequestHandler, RoutedReply, RoutedRequest } from './event-store/command-router.js'
export type {
  Checkpoint,
  EventBatch,
  EventLog,
  LogPartition,
  ReaderShare,
  ShareOptions,
  SubscribeOptions,
  UnreadableRecord,
} from './event-store/event-log.js'
export type { EventStorage, Finding, Health, OpenStorage, StorageContext } from './event-store/event-storage.js'
export type {
  Appended,
  AppendOptions,
  AppendResult,
  Conflict,
  EventStore,
  ExpectedVersion,
  ReadOptions,
  ReplicaRead,
} from './event-store/event-store.js'
export { type Logger, silentLogger, stderrLogger } from './event-store/logger.js'
export type { PartitionStatus } from './event-store/partition-status.js'
export type { NewEvent, RecordedEvent } from './event-store/recorded-event.js'
export type { Snapshot, SnapshotStore } from './event-store/snapshot-store.js'
export { InMemoryCheckpointStore } from './in-memory/in-memory-checkpoint-store.js'
export {
  type InMemoryEventStorage,
  type InMemoryEventStoreOptions,
  inMemoryEventStore,
} from './in-memory/in-memory-event-store.js'
export { InMemorySnapshotStore } from './in-memory/in-memory-snapshot-store.js'
export { type AnswerOf, type Class, type EventsOf, emits, type Fields, returns } from './messages/message-class.js'
export type { MessageMetadata } from './messages/metadata.js'
export { formatPosition, type Position, parsePosition } from './messages/position.js'
export { aggregateIdOf, categoryOf, isCategory, type StreamId, toStreamId } from './messages/stream-id.js'
export type { ReadModelWatcher } from './query-handling/live-query.js'
export type { LiveQueryOptions, QueryBus, QueryOptions } from './query-handling/query-bus.js'
