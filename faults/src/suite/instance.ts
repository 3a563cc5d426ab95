// One process of the service, as a user would write it: an application on Kafka that takes commands until it is killed.
import {
  type Application,
  createApplication,
  type EventStorage,
  isDomainError,
  isNarrativeError,
  type Position,
  stderrLogger,
} from '@narrative/core'
import { diskReplica, kafkaEventStore, kafkajsDriver } from '@narrative/kafka-eventstore'
import { memoryReadModels, postgresReadModels, projections } from '@narrative/projections'
import type { AppendOutcome } from '../checker/history.js'
import type {
  CommandRequest,
  FromInstance,
  InstanceAnswer,
  InstanceHarm,
  InstanceRequest,
  InstanceSettings,
  ReadAnswer,
  ToInstance,
} from './instance-messages.js'
import { type Fate, mortalDriver } from './mortal-driver.js'
import { OrderRefused, order, ordersView } from './order.js'
import { pause } from './pause.js'
import { setWallClock } from './wall-clock.js'

const { brokers, context, partitions, name, sessionTimeout, directory, database } = JSON.parse(
  process.argv[2]!,
) as InstanceSettings
process.on('disconnect', () => process.exit()) // whoever started it is gone
const say = (message: FromInstance) => void process.send?.(message)
const fate: Fate = { killAt: undefined }

const storage = kafkaEventStore({
  ...{
    brokers,
    context,
    partitions,
    sessionTimeout,
    clientId: name,
    replicationFactor: 3,
    appendTimeout: 10_000,
    standbys: 1,
  },
  // The name goes with the disk: started again, it goes on with what it had.
  ...(directory !== undefined && { replica: diskReplica({ directory }), instanceId: name }),
  driver: (logger) => mortalDriver(kafkajsDriver({ brokers, clientId: name, requestTimeout: 5_000, logger }), fate),
})
const logger = stderrLogger('info')
const domainErrors = { 'order.refused': OrderRefused }
const serving = { aggregates: [order], domainErrors, logger }

const inPostgres = ordersView('orders-in-postgres')
const inMemory = ordersView('orders-in-memory')
const postgres = postgresReadModels({ url: database ?? '' })
const memory = memoryReadModels()
const parts = [projections([inPostgres.view], { store: postgres }), projections([inMemory.view], { store: memory })]
/** Opened for no categories it joins nothing. */
const followed: EventStorage = {
  name: 'kafka',
  open: (asked) => storage.open({ ...asked, categories: [] }),
}

const app: Application =
  database === undefined
    ? await createApplication({ ...serving, eventStore: storage })
    : await createApplication({ ...serving, eventStore: followed, parts })
say({ ready: true })

process.on('message', async (message: ToInstance) => {
  if ('harm' in message) return suffer(message.harm)
  say({ id: message.id, answer: await answerTo(message) })
})

async function answerTo(request: InstanceRequest): Promise<InstanceAnswer> {
  if ('execute' in request) return { execute: await execute(request.execute) }
  if ('read' in request) return { read: await read(request.read, request.strong) }
  return { dump: database === undefined ? { 'the replicas': await owned(request.dump) } : await views(request.upTo) }
}

async function execute(request: CommandRequest): Promise<AppendOutcome> {
  const { streamId, commandId, expectedVersion, eventIds: marks, refuse, patience } = request
  const options = {
    commandId,
    deadline: Date.now() + patience,
    ...(expectedVersion !== 'any' && { expectedVersion }),
  }
  const command = { type: 'order.place', data: { orderId: idOf(streamId), marks, refuse } }
  try {
    const { version, position, events, duplicate } = await app.commands.execute(command, options)
    const eventIds = (events as { data: { mark: string } }[]).map(({ data }) => data.mark)
    return {
      told: 'appended',
      firstVersion: version - events.length + 1,
      version,
      position: position!,
      duplicate,
      eventIds,
    }
  } catch (error) {
    if (isNarrativeError(error, 'VERSION_CONFLICT')) {
      return { told: 'conflict', actualVersion: Number(error.details.actualVersion) }
    }
    if (isNarrativeError(error)) {
      return { told: error.code === 'OUTCOME_UNKNOWN' ? 'unknown' : 'refused', code: error.code }
    }
    // Domain errors arrive as what they are, from wherever the owner is.
    if (isDomainError(error) && error instanceof OrderRefused && error.orderId === idOf(streamId)) {
      return { told: 'refused', code: error.code }
    }
    return { told: 'unknown', code: `UNFORESEEN ${error instanceof Error ? error.stack : error}` }
  }
}

async function read(streamId: string, strong: boolean): Promise<ReadAnswer> {
  try {
    const consistency = strong ? 'strong' : 'replica'
    const { state, checkpoint } = await app.aggregates.state(order, idOf(streamId), { consistency })
    return { outcome: { told: 'events', eventIds: state }, ...(checkpoint !== undefined && { upTo: checkpoint }) }
  } catch (error) {
    return { outcome: { told: 'failed', code: isNarrativeError(error) ? error.code : `UNFORESEEN ${error}` } }
  }
}

/** What its own replicas hold. */
async function owned(streamIds: readonly string[]): Promise<Record<string, string[]>> {
  const held: Record<string, string[]> = {}
  for (const streamId of streamIds) {
    const marks = await marksOf(streamId)
    if (marks !== undefined) held[streamId] = marks
  }
  return held
}

/** Undefined when another instance owns the stream. What a fault did to a file may come to light only now. */
async function marksOf(streamId: string): Promise<string[] | undefined> {
  for (;;) {
    try {
      const marks: string[] = []
      for await (const { data } of app.eventStore.read(streamId))
        marks.push(JSON.parse(Buffer.from(data).toString()).mark)
      return marks
    } catch (error) {
      if (isNarrativeError(error, 'NOT_OWNER')) return undefined
      if (!isNarrativeError(error, 'DISK_FAILED')) throw error
      await pause(100) // it is being built again from the log
    }
  }
}

/** The views, once they have come so far. */
async function views(upTo: readonly Position[]) {
  for (const position of upTo) {
    for (const part of parts) await part.waitFor?.(position, { readModel: undefined, timeout: 60_000 })
  }
  const byStream = (rows: readonly { orderId: string; marks: readonly string[] }[]) =>
    Object.fromEntries(rows.map(({ orderId, marks }) => [`order-${orderId}`, marks]))
  return {
    'the view in Postgres': byStream(await postgres.reader(inPostgres.orders).findWhere({}, { limit: 1_000_000 })),
    'the view in memory': byStream(memory.rows(inMemory.orders).all()),
  }
}

function suffer(harm: InstanceHarm): void {
  if ('killAt' in harm) fate.killAt = harm.killAt
  else if ('clock' in harm) setWallClock(harm.clock)
  else if ('stop' in harm) void app.stop().finally(() => process.exit())
  else for (const end = performance.now() + harm.block; performance.now() < end; ) Math.random()
}

function idOf(streamId: string): string {
  return streamId.slice('order-'.length)
}
