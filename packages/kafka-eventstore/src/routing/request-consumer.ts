// Handles what other instances send to one partition, while it is owned here.
//
// What was handled is committed in order. A reply that the log could not give again (a refusal) waits until its request
// is committed: so no later owner reads it again and decides anew.
import { setMaxListeners } from 'node:events'
import {
  type Clock,
  isNarrativeError,
  type Logger,
  type RequestHandler,
  type RoutedReply,
  type RoutedRequest,
} from '@narrative/core'
import { Backoff } from '../backoff.js'
import type { FetchedRecord, KafkaDriver, Membership } from '../driver/kafka-driver.js'
import { parseRequest, type RequestStamp, requestHeader } from './request-stamp.js'

/** What a consumer works with. */
export interface ConsumerOptions {
  readonly driver: KafkaDriver
  /** Deadlines are instants of the askers' clocks. */
  readonly clock: Clock
  readonly membership: Membership
  readonly logger: Logger
  readonly topic: string
  readonly partition: number
  /** Aborts when the partition is not served here any more. */
  readonly signal: AbortSignal
  readonly handle: RequestHandler
  reply(to: RequestStamp, payload: Uint8Array): Promise<void>
}

/** With the other partitions of this instance, in one request per broker. */
const reading = { maxBytes: 1024 * 1024, maxWait: 500, shared: true }
/** Requests of one partition that are handled at the same time; the others wait in the topic. */
const maxInHand = 500
const maxBytesInHand = 16 * 1024 * 1024
/** Repeatable replies need no hurry: this only bounds how much the next owner reads again. */
const commitEvery = 1_000

export class RequestConsumer {
  readonly #options: ConsumerOptions
  /** Offsets in hand, ascending. */
  readonly #inHand = new Set<number>()
  #bytesInHand = 0
  #next = 0
  #committed = 0
  #committing: Promise<void> | undefined
  #room: (() => void) | undefined

  constructor(options: ConsumerOptions) {
    this.#options = options
    setMaxListeners(0, options.signal) // every request in hand may wait for it
    options.signal.addEventListener('abort', () => this.#room?.(), { once: true })
  }

  /** Runs until the signal aborts. */
  async run(): Promise<void> {
    const { driver, topic, partition, signal, logger } = this.#options
    const backoff = new Backoff(50, 2_000)
    let begun = false
    const timer = setInterval(() => void this.#commit(), commitEvery)
    timer.unref()
    while (!signal.aborted) {
      try {
        if (!begun) await this.#begin()
        begun = true
        const place = { topic, partition, offset: this.#next }
        const { records, nextOffset } = await driver.fetch({ ...place, ...reading, signal })
        for (const record of records) {
          while (this.#full && !signal.aborted) await this.#anyDone()
          if (signal.aborted) break
          this.#inHand.add(record.offset)
          const bytes = record.value?.length ?? 0
          this.#bytesInHand += bytes
          void this.#take(record).finally(() => {
            this.#bytesInHand -= bytes
            this.#room?.()
          })
        }
        this.#next = nextOffset
        backoff.reset()
      } catch (error) {
        if (signal.aborted) break
        logger.warn({ topic, partition, error }, `Requests from ${topic}/${partition} cannot be read; trying again`)
        await backoff.pause(signal)
      }
    }
    clearInterval(timer)
  }

  async #begin(): Promise<void> {
    const { driver, membership, topic, partition } = this.#options
    const committed = await membership.committed(topic, partition)
    const { start } = await driver.offsets(topic, partition)
    this.#next = Math.max(committed ?? 0, start)
    this.#committed = this.#next
  }

  async #take(record: FetchedRecord): Promise<void> {
    const { signal, logger, topic, partition, reply } = this.#options
    const { offset } = record
    const stamp = parseRequest(record.header(requestHeader) ?? '')
    if (stamp === undefined || record.key === null || record.value === null) {
      logger.warn({ topic, partition, offset }, `${topic}/${partition}@${offset} is no request; it is left out`)
      return this.#done(offset)
    }
    const { id, deadline } = stamp
    // Copied: the bytes are a window into a whole fetch.
    const request = { streamId: record.key.toString(), id, deadline, payload: Buffer.from(record.value) }
    const handled = await this.#handle(request)
    if (handled === undefined) {
      if (!signal.aborted) this.#done(offset) // nobody waits for it any more
      return
    }
    this.#done(offset)
    if (!handled.repeatable && !(await this.#committedPast(offset))) return
    await reply(stamp, handled.payload).catch((error: unknown) => {
      logger.warn({ topic, partition, offset, error }, `A reply to ${id} could not be sent; it is asked for again`)
    })
  }

  /** Undefined when it is for the next owner to answer, or for nobody. */
  async #handle(request: RoutedRequest): Promise<RoutedReply | undefined> {
    const { handle, signal, logger } = this.#options
    const backoff = new Backoff(20, 500)
    while (!signal.aborted) {
      try {
        return await handle(request, signal)
      } catch (error) {
        if (signal.aborted) return undefined
        if (!isNarrativeError(error)) logger.error({ error }, `Handling ${request.id} failed`)
        if (this.#options.clock.now() > request.deadline) return undefined
        await backoff.pause(signal)
      }
    }
    return undefined
  }

  #done(offset: number): void {
    this.#inHand.delete(offset)
    this.#room?.()
  }

  get #full(): boolean {
    return this.#inHand.size >= maxInHand || this.#bytesInHand >= maxBytesInHand
  }

  #anyDone(): Promise<void> {
    return new Promise((resolve) => {
      this.#room = resolve
    })
  }

  /** Up to where everything is handled. */
  get #handled(): number {
    const [oldest] = this.#inHand
    return oldest ?? this.#next
  }

  /** @returns false when the partition was lost before: then the next owner handles it again, and nobody was told */
  async #committedPast(offset: number): Promise<boolean> {
    const { signal } = this.#options
    const backoff = new Backoff(1, 50)
    while (this.#committed <= offset) {
      if (signal.aborted) return false
      if (this.#handled > offset) await this.#commit()
      else await backoff.pause(signal)
    }
    return true
  }

  /** One commit at a time; who comes meanwhile shares it or the next. */
  async #commit(): Promise<void> {
    const { membership, topic, partition, signal, logger } = this.#options
    if (this.#committing !== undefined) return this.#committing
    const offset = this.#handled
    if (offset <= this.#committed || signal.aborted) return
    this.#committing = membership.commit(topic, partition, offset).then(
      () => {
        this.#committed = offset
      },
      async (error: unknown) => {
        logger.debug(
          { topic, partition, error },
          `${topic}/${partition}@${offset} could not be committed; trying again`,
        )
        await new Backoff(20, 20).pause(signal)
      },
    )
    await this.#committing
    this.#committing = undefined
  }
}
