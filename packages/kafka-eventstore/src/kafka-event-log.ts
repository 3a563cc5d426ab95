// The read side: every partition has its own loop, one batch ahead of the reader, and all of them meet in one sequence.
import {
  type EventBatch,
  type EventLog,
  isNarrativeError,
  type Logger,
  type LogPartition,
  type Position,
  type ReaderShare,
  type ShareOptions,
  type SubscribeOptions,
} from '@narrative/core'
import { Backoff } from './backoff.js'
import { claimAt } from './claim-at.js'
import type { KafkaDriver } from './driver/kafka-driver.js'
import { type LogPoint, logStart, reread } from './fold.js'
import { LogReader } from './log-reader.js'
import { Merge } from './merge.js'

/** What the log reads from. */
export interface KafkaEventLogOptions {
  readonly driver: KafkaDriver
  readonly logger: Logger
  /** Milliseconds of silence after which the others take over what a reader had. */
  readonly sessionTimeout: number
  topicOf(category: string): string
  /** The point of a partition's replica when this instance owns it: spares a search for the claim in force. */
  ownedPoint(topic: string, partition: number): LogPoint | undefined
  /** Aborts, with the error to throw, when the store is closed. */
  readonly closed: AbortSignal
}

interface Source {
  readonly topic: string
  readonly partition: number
  readonly from: LogPoint
}

export class KafkaEventLog implements EventLog {
  readonly #options: KafkaEventLogOptions

  constructor(options: KafkaEventLogOptions) {
    this.#options = options
  }

  async partitions(category: string): Promise<readonly LogPartition[]> {
    const { driver, closed } = this.#options
    closed.throwIfAborted()
    const topic = this.#options.topicOf(category)
    const count = (await driver.describeTopics([topic])).get(topic)?.partitions ?? 0
    const numbers = Array.from({ length: count }, (_, partition) => partition)
    return Promise.all(
      numbers.map(async (partition) => ({ topic, partition, ...(await driver.offsets(topic, partition)) })),
    )
  }

  subscribe(options: SubscribeOptions): AsyncIterable<EventBatch> {
    const { driver, closed, logger } = this.#options
    const log = this
    // "What comes" comes after this call, not after the first look at the iterator.
    const ends = options.from === 'end' ? this.#ends(options) : undefined
    ends?.catch(() => {}) // thrown to whoever iterates
    return (async function* () {
      closed.throwIfAborted()
      const stop = new AbortController()
      const signals = options.signal ? [closed, options.signal, stop.signal] : [closed, stop.signal]
      const signal = AbortSignal.any(signals)
      const merge = new Merge<EventBatch>(signal)
      try {
        for (const category of options.categories) {
          merge.add(async () => {
            const sources = await log.#sources(category, options, await ends, signal)
            const share = Math.floor(memory / Math.max(1, sources.length * options.categories.length))
            const maxBytes = Math.min(largestFetch, Math.max(smallestFetch, share))
            for (const source of sources) {
              merge.add(async (offer) => {
                if (ends !== undefined) await offer(emptyBatch(source))
                const givesUnreadable = options.unreadable === 'give'
                await follow({ driver, logger, source, maxBytes, givesUnreadable, signal, offer })
              })
            }
          })
        }
        for await (const batch of merge) {
          yield batch
          if (options.signal?.aborted) return
        }
        closed.throwIfAborted()
      } finally {
        stop.abort()
      }
    })()
  }

  readonly reread = reread

  /** By a consumer group of its own, over the events topics: its name begins with that of the first. */
  async share({ group, categories, onAssigned }: ShareOptions): Promise<ReaderShare> {
    const { driver, sessionTimeout, topicOf } = this.#options
    const shared = (await Promise.all(categories.map((category) => this.partitions(category)))).flat()
    const topics = categories.map((category) => {
      const name = topicOf(category)
      return { name, partitions: shared.filter(({ topic }) => topic === name).length }
    })
    return driver.joinGroup({
      group: `${topics[0]?.name}.${group}`,
      topics,
      sessionTimeout,
      onAssigned: (assignment) =>
        onAssigned(shared.filter(({ topic, partition }) => assignment[topic]?.includes(partition))),
    })
  }

  /** Partitions of a category and where to begin; waits for a topic that does not exist yet. */
  async #sources(
    category: string,
    options: SubscribeOptions,
    ends: ReadonlyMap<string, LogPoint> | undefined,
    signal: AbortSignal,
  ): Promise<Source[]> {
    const { driver, logger } = this.#options
    const topic = this.#options.topicOf(category)
    const backoff = new Backoff(50, 1_000)
    for (;;) {
      signal.throwIfAborted()
      const count = await retried(logger, signal, async () => {
        return (await driver.describeTopics([topic])).get(topic)?.partitions ?? 0
      })
      if (count > 0) {
        const numbers = Array.from({ length: count }, (_, partition) => partition)
        const wanted = numbers.filter((partition) => options.partitions?.includes(partition) ?? true)
        return Promise.all(
          wanted.map(async (partition) => {
            const point = firstPoint(topic, partition, options.from, ends)
            const from = 'claim' in point ? point : await retried(logger, signal, () => this.#pointAt(point))
            return { topic, partition, from }
          }),
        )
      }
      await backoff.pause(signal)
    }
  }

  /** A position beyond the end is left for the fetch to refuse. */
  async #pointAt({ topic, partition, offset }: Position): Promise<LogPoint> {
    const { driver } = this.#options
    const { end } = await driver.offsets(topic, partition)
    return { offset, claim: offset > end ? null : await claimAt(driver, topic, partition, offset) }
  }

  async #ends(options: SubscribeOptions): Promise<ReadonlyMap<string, LogPoint>> {
    const { driver } = this.#options
    const points = new Map<string, LogPoint>()
    const one = async ({ topic, partition, end }: LogPartition) => {
      const owned = this.#options.ownedPoint(topic, partition)
      const claim = owned?.offset === end ? owned.claim : await claimAt(driver, topic, partition, end)
      points.set(`${topic}/${partition}`, { offset: end, claim })
    }
    const partitions = await Promise.all(options.categories.map((category) => this.partitions(category)))
    await Promise.all(partitions.flat().map(one))
    return points
  }
}

function firstPoint(
  topic: string,
  partition: number,
  from: SubscribeOptions['from'],
  ends: ReadonlyMap<string, LogPoint> | undefined,
): LogPoint | Position {
  if (from === 'start') return logStart
  if (from === 'end') return ends?.get(`${topic}/${partition}`) ?? logStart
  return from.find((point) => point.topic === topic && point.partition === partition) ?? logStart
}

/** Says where a reader from the end begins. */
function emptyBatch({ topic, partition, from }: Source): EventBatch {
  return { topic, partition, events: [], checkpoint: { topic, partition, ...from }, end: from.offset }
}

interface FollowOptions {
  readonly driver: KafkaDriver
  readonly logger: Logger
  readonly source: Source
  readonly maxBytes: number
  readonly givesUnreadable: boolean
  readonly signal: AbortSignal
  readonly offer: (batch: EventBatch) => Promise<void>
}

/** Reads one partition for ever, healing by itself when brokers come and go. */
async function follow({ logger, source, offer, ...reading }: FollowOptions): Promise<void> {
  const { topic, partition } = source
  const { signal } = reading
  const reader = new LogReader({ ...source, ...reading, maxWait: 500 })
  while (!signal.aborted) {
    const before = reader.point.offset
    const { events, unreadable, voids, point, end } = await retried(logger, signal, () => reader.next())
    if (voids.length > 0) {
      logger.error(
        { topic, partition, offsets: voids.slice(0, 20) },
        `${topic}/${partition}: ${voids.length} event(s) were written by an instance that had lost the partition; they do not count`,
      )
    }
    if (point.offset === before) continue
    await offer({ topic, partition, events, unreadable, checkpoint: { topic, partition, ...point }, end })
  }
}

async function retried<T>(logger: Logger, signal: AbortSignal, attempt: () => Promise<T>): Promise<T> {
  const backoff = new Backoff(50, 2_000)
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      if (signal.aborted || !isNarrativeError(error, 'BROKER_UNREACHABLE')) throw error
      logger.warn({ error }, 'Reading the log is interrupted; trying again')
      await backoff.pause(signal)
    }
  }
}

const mebibyte = 1024 * 1024
const largestFetch = 4 * mebibyte
const smallestFetch = mebibyte / 4
/** Shared by the partitions of a subscription; each holds up to three fetches: handled, ready, under way. */
const memory = 32 * mebibyte
