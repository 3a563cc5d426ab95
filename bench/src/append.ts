// Fenced appends to the event store alone, beside kafkajs without one.
import { randomUUID } from 'node:crypto'
import { type NewEvent, type OpenStorage, systemClock } from '@narrative/core'
import { kafkaEventStore } from '@narrative/kafka-eventstore'
import { uniqueName } from '@narrative/testing'
import type { Bench, BenchRun } from './bench.js'
import { closedLoop, inTurns, median } from './harness.js'
import { addLine, OrderLoad } from './orders/order-load.js'
import { bulkSender, createTopic, idempotentSender, produceInBulk, sendOne } from './peers/raw-producer.js'
import { benchLogger } from './services.js'

const partitions = 4
const streams = 2000

export const appendBench: Bench = {
  name: 'append',
  measures: 'one 300 B event per append, fenced and version-checked, beside kafkajs alone (all with acks=all)',
  async run(run) {
    const { brokers } = await run.services.kafka()
    const context = uniqueName('bench')
    const rawTopic = uniqueName('bench-raw')
    await createTopic(brokers, rawTopic, partitions)
    const storage = await kafkaEventStore({ brokers, context, partitions }).open({
      categories: ['order'],
      clock: systemClock,
      logger: benchLogger,
    })
    try {
      const streamsUnderLoad = new Streams(storage)
      await oneCaller(run, brokers, streamsUnderLoad, rawTopic)
      await manyCallers(run, brokers, streamsUnderLoad, rawTopic)
    } finally {
      await storage.close()
    }
  },
}

async function oneCaller(run: BenchRun, brokers: string[], streams: Streams, rawTopic: string): Promise<void> {
  run.progress('fenced append, 1 caller, beside an idempotent send')
  const producer = await idempotentSender(brokers)
  const seconds = run.quick ? 1 : 2
  const load = new OrderLoad(2000, 1)
  const { ours, theirs } = await inTurns(
    run.rounds,
    () => streams.load(1, seconds),
    () => closedLoop(1, seconds, () => sendOne(producer, rawTopic, load.nextId(0), data)),
  )
  await producer.disconnect()
  run.report({
    name: 'append.1-caller.p50',
    value: median(ours.map((load) => load.p50)),
    unit: 'ms',
    reference: 'kafkajs idempotent send of one message',
    referenceValue: median(theirs.map((load) => load.p50)),
    target: '<= 1.5',
  })
}

async function manyCallers(run: BenchRun, brokers: string[], streams: Streams, rawTopic: string): Promise<void> {
  const callers = 512
  run.progress(`fenced append, ${callers} callers, beside sends of 1,000`)
  const producer = await bulkSender(brokers)
  const seconds = run.quick ? 2 : 4
  const keys = new OrderLoad(2000, 1).ids
  const produce = (inFlight: number, seconds: number) =>
    produceInBulk(producer, { topic: rawTopic, keys, value: data, seconds, inFlight })
  const inFlight = await best([1, 2, 4], (candidate) => produce(candidate, 1))
  const { ours, theirs } = await inTurns(
    run.rounds,
    () => streams.load(callers, seconds),
    () => produce(inFlight, seconds),
  )
  await producer.disconnect()
  run.report({
    name: `append.${callers}-callers.throughput`,
    value: median(ours.map((load) => load.perSecond)),
    unit: 'events/s',
    reference: `kafkajs sends of 1,000 messages, ${inFlight} under way (the best of 1, 2 and 4)`,
    referenceValue: median(theirs),
    target: '>= 0.6',
  })
}

const data = Buffer.from(JSON.stringify(addLine(randomUUID())))

/** Appends to many streams, each time insisting on the version of before. */
class Streams {
  readonly #storage: OpenStorage
  readonly #versions = new Map<string, number>()

  constructor(storage: OpenStorage) {
    this.#storage = storage
  }

  load(callers: number, seconds: number) {
    const load = new OrderLoad(streams, callers)
    return closedLoop(callers, seconds, (caller) => this.#append(`order-${load.nextId(caller)}`))
  }

  async #append(streamId: string): Promise<void> {
    const commandId = randomUUID()
    const event: NewEvent = {
      id: randomUUID(),
      type: 'bench.order.line-added',
      schemaVersion: 1,
      contentType: 'application/json',
      data,
    }
    const result = await this.#storage.eventStore.append(streamId, [event], {
      expectedVersion: this.#versions.get(streamId) ?? 0,
      metadata: { commandId, correlationId: commandId, causationId: commandId },
    })
    if (result.outcome !== 'appended')
      throw new Error(`Nobody else writes to ${streamId}, and yet it was ${result.outcome}`)
    this.#versions.set(streamId, result.version)
  }
}

async function best(candidates: readonly number[], measure: (candidate: number) => Promise<number>): Promise<number> {
  let winner = { candidate: candidates[0]!, value: 0 }
  await measure(winner.candidate)
  for (const candidate of candidates) {
    const value = await measure(candidate)
    if (value > winner.value) winner = { candidate, value }
  }
  return winner.candidate
}
