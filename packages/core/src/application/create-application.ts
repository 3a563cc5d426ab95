// The composition root: definitions, buses, parts and storage become one application that starts and stops.
import { Container, type ContainerModule } from 'inversify'
import { createEventCodec } from '../codec/create-event-codec.js'
import { type CommandBus, type CommandMiddleware, createCommandBus } from '../command-handling/command-bus.js'
import { type CommandValidator, declaredValidation } from '../command-handling/command-validator.js'
import { createLocalExecution } from '../command-handling/local-execution.js'
import type { DomainErrorClasses } from '../command-handling/routed-error.js'
import { createRoutedExecution } from '../command-handling/routed-execution.js'
import { createRoutedRead } from '../command-handling/routed-reads.js'
import { StoredSnapshots } from '../command-handling/stored-snapshots.js'
import { readAggregate } from '../decorators/read-aggregate.js'
import { readQueryHandlers } from '../decorators/read-query-handlers.js'
import type { AggregateDefinition, ServiceId } from '../definition/aggregate-definition.js'
import { createRegistry } from '../definition/definition-registry.js'
import { NarrativeError } from '../errors/narrative-error.js'
import { type Clock, systemClock } from '../event-store/clock.js'
import type { EventLog } from '../event-store/event-log.js'
import type { EventStorage, Health, OpenStorage } from '../event-store/event-storage.js'
import type { EventStore } from '../event-store/event-store.js'
import { type Logger, stderrLogger } from '../event-store/logger.js'
import type { PartitionStatus } from '../event-store/partition-status.js'
import type { SnapshotStore } from '../event-store/snapshot-store.js'
import { inMemoryEventStore } from '../in-memory/in-memory-event-store.js'
import { InMemorySnapshotStore } from '../in-memory/in-memory-snapshot-store.js'
import type { Class } from '../messages/message-class.js'
import { createQueryBus, type QueryBus } from '../query-handling/query-bus.js'
import { type AggregateReader, createAggregateReader } from './aggregate-reader.js'
import type { ApplicationPart } from './application-part.js'
import { watchedParts } from './watched-parts.js'

/** What an application is made of. */
export interface ApplicationOptions {
  /** Classes marked with `@Aggregate`, and deciders. */
  readonly aggregates: readonly object[]
  /** Classes with `@QueryHandler` methods; the container makes them. */
  readonly queryHandlers?: readonly Class[]
  /** Projections and other parts that live in the application. */
  readonly parts?: readonly ApplicationPart[]
  /** Where events are kept; default in memory. */
  readonly eventStore?: EventStorage
  /** inversify modules with the services that handlers ask for. */
  readonly modules?: readonly ContainerModule[]
  /** A container of your own; it is not changed: the application lives in a child of it. */
  readonly container?: Container
  /** Outermost first. */
  readonly middleware?: readonly CommandMiddleware[]
  /** Default: Standard Schema when the command names one, else class-validator. */
  readonly validator?: CommandValidator
  /** Where aggregate state is kept between commands; default in memory, 10,000 aggregates. */
  readonly snapshots?: SnapshotStore
  /**
   * Classes of domain errors by their code. Only these arrive as their class from an instance that owns the stream
   * elsewhere; others arrive as `DomainError` with code, details and fields.
   */
  readonly domainErrors?: DomainErrorClasses
  readonly clock?: Clock
  /** Default: warnings and errors on standard error. pino fits. */
  readonly logger?: Logger
}

/** What an application can say of itself. */
export interface ApplicationStatus extends Health {
  /** Which partitions of the log are owned here, followed or being caught up with, and how far they are. */
  readonly partitions: readonly PartitionStatus[]
}

/** A started application. */
export interface Application {
  readonly commands: CommandBus
  readonly queries: QueryBus
  readonly aggregates: AggregateReader
  /** The byte-level ports beneath, for tools. */
  readonly eventStore: EventStore
  readonly eventLog: EventLog
  readonly container: Container
  /** Whether traffic should be sent here. */
  health(): Health
  /** The same, and every partition of the log as this instance sees it: `serving` and `claiming` are its own. */
  status(): ApplicationStatus
  /** Finishes what is under way, then stops parts and storage. */
  stop(): Promise<void>
}

/**
 * Checks everything, then starts: storage first, parts in their order.
 *
 * @throws NarrativeError `STARTUP_FAULTS` with every fault found; and what the storage throws when it cannot open
 * @example
 * ```ts
 * const app = await createApplication({ aggregates: [Order], eventStore: kafkaEventStore({ brokers: ['localhost:9092'] }) })
 * const { version } = await app.commands.execute(new PlaceOrder({ orderId, lines }))
 * await app.stop()
 * ```
 */
export async function createApplication(options: ApplicationOptions): Promise<Application> {
  const { parts = [], clock = systemClock, logger = stderrLogger() } = options
  const container = new Container({ parent: options.container })
  if (options.modules?.length) await container.load(...options.modules)

  // 1. Read what was marked, and say everything that is wrong with it at once.
  const { definitions, definitionOf, faults } = readDefinitions(options.aggregates)
  const registry = createRegistry(definitions)
  const codec = createEventCodec(registry.eventTypes)
  const { routes, faults: queryFaults } = readQueryHandlers(options.queryHandlers ?? [], (handler) =>
    container.get(handler as ServiceId<object> as never),
  )
  for (const handler of options.queryHandlers ?? []) bindOnce(container, handler)
  const partContext = { aggregates: definitions, definitionOf, codec, container, clock, logger }
  const allFaults = [
    ...faults,
    ...registry.faults,
    ...queryFaults,
    ...parts.flatMap((part) => part.prepare(partContext)),
  ]
  if (allFaults.length > 0) throw startupFaults(allFaults)

  // 2. Open the storage, start the parts; when one fails, what was started stops again.
  const categories = definitions.map((definition) => definition.category)
  const storage = await (options.eventStore ?? inMemoryEventStore()).open({ categories, clock, logger })
  const started: ApplicationPart[] = []
  try {
    for (const part of parts) {
      started.push(part)
      await part.start(storage.eventLog)
    }
  } catch (error) {
    await stopAll(started, storage)
    throw error
  }

  // 3. The ways in.
  const { eventStore, eventLog } = storage
  const environment = {
    eventStore,
    codec,
    clock,
    snapshots: options.snapshots ?? new InMemorySnapshotStore({ max: 10_000 }),
    storedSnapshots: storage.snapshots && new StoredSnapshots(storage.snapshots, logger),
    service: <T>(id: ServiceId<T>): T => container.get<T>(id as never),
  }
  const { router } = storage
  const { domainErrors = {} } = options
  const carryOutHere = createLocalExecution(environment)
  const carryOut =
    router === undefined
      ? carryOutHere
      : createRoutedExecution({ router, registry, codec, eventStore, clock, domainErrors, carryOutHere })
  const read = router === undefined ? eventStore.read.bind(eventStore) : createRoutedRead(eventStore, router, clock)
  const readModels = watchedParts(parts)
  let stopping: Promise<void> | undefined
  const health = (): Health => {
    const reasons = [storage.health(), ...parts.map((part) => part.health())].flatMap((each) => each.reasons)
    return { ready: reasons.length === 0, reasons }
  }
  return {
    commands: createCommandBus({
      registry,
      carryOut,
      validator: options.validator ?? declaredValidation,
      middleware: options.middleware ?? [],
    }),
    queries: createQueryBus(routes, readModels),
    aggregates: createAggregateReader(
      { eventStore: { read, readReplica: eventStore.readReplica?.bind(eventStore) }, codec },
      (aggregate) => definitionOf(aggregate) ?? unknownAggregate(aggregate),
    ),
    eventStore,
    eventLog,
    container,
    health,
    status: () => ({ ...health(), partitions: storage.status() }),
    stop: () => {
      readModels.close()
      stopping ??= stopAll(started, storage)
      return stopping
    },
  }
}

function readDefinitions(aggregates: readonly object[]) {
  const faults: string[] = []
  const byAggregate = new Map<object, AggregateDefinition>()
  for (const aggregate of aggregates) {
    if (typeof aggregate === 'function') {
      const reading = readAggregate(aggregate as Class)
      faults.push(...reading.faults)
      byAggregate.set(aggregate, reading.definition)
    } else {
      byAggregate.set(aggregate, aggregate as AggregateDefinition)
    }
  }
  return {
    definitions: [...byAggregate.values()],
    definitionOf: (aggregate: object) => byAggregate.get(aggregate),
    faults,
  }
}

/** Lets the container make a class that the user did not bind; one instance for the whole application. */
function bindOnce(container: Container, serviceClass: Class): void {
  if (container.isBound(serviceClass)) return
  container
    .bind(serviceClass)
    .to(serviceClass as never)
    .inSingletonScope()
}

async function stopAll(parts: readonly ApplicationPart[], storage: OpenStorage): Promise<void> {
  for (const part of [...parts].reverse()) await part.stop()
  await storage.close()
}

function startupFaults(faults: readonly string[]): NarrativeError {
  return new NarrativeError('STARTUP_FAULTS', {
    message: `The application cannot start, for ${faults.length === 1 ? 'one reason' : `${faults.length} reasons`}:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`,
    details: { faults },
  })
}

function unknownAggregate(aggregate: object): never {
  throw startupFaults([
    `${(aggregate as Class).name ?? 'This definition'} is not an aggregate of this application; give it to createApplication({ aggregates }).`,
  ])
}
