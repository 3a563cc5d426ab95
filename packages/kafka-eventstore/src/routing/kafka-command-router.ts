// The router on Kafka: requests over the command topic of their stream's partition, replies over the reply topic.
import { randomUUID } from 'node:crypto'
import {
  type Clock,
  type CommandRouter,
  type Logger,
  NarrativeError,
  type RequestHandler,
  type RoutedRequest,
  type StreamId,
} from '@narrative/core'
import type { QueueLimits } from '../append-queue.js'
import { Backoff } from '../backoff.js'
import type { KafkaDriver, Membership } from '../driver/kafka-driver.js'
import { storeClosed } from '../owner-errors.js'
import { Backlog } from './backlog.js'
import { RecordSender } from './record-sender.js'
import { RequestConsumer } from './request-consumer.js'
import { formatReply, formatRequest, parseReply, type RequestStamp, requestHeader } from './request-stamp.js'

/** What the router works with. */
export interface RouterOptions {
  readonly driver: KafkaDriver
  readonly clock: Clock
  readonly logger: Logger
  readonly replyTopic: string
  readonly replyPartitions: number
  /** Of what may wait for one partition. */
  readonly queueLimits: QueueLimits
  /** The command topic and the partition of a stream. */
  placeOf(streamId: StreamId): { readonly topic: string; readonly partition: number }
  ownedHere(streamId: StreamId): boolean
}

interface Pending {
  readonly resolve: (payload: Uint8Array) => void
  readonly reject: (error: unknown) => void
}

/** Beyond the deadline: an owner that refuses an expired command says so. */
const grace = 1_000

export class KafkaCommandRouter implements CommandRouter {
  readonly #options: RouterOptions
  readonly #instance = randomUUID()
  readonly #replyTo: number
  readonly #sender: RecordSender
  readonly #backlog: Backlog
  readonly #pending = new Map<string, Pending>()
  readonly #closed = new AbortController()
  readonly #handler: Promise<RequestHandler>
  readonly #consumers = new Set<Promise<void>>()
  #serve!: (handler: RequestHandler) => void
  #listening: Promise<void> | undefined
  #begun: Promise<unknown> | undefined
  #closing = false

  constructor(options: RouterOptions) {
    this.#options = options
    this.#backlog = new Backlog(options.queueLimits)
    this.#replyTo = Math.floor(Math.random() * options.replyPartitions)
    this.#sender = new RecordSender(options.driver, options.clock, `${options.replyTopic}-${this.#instance}`)
    this.#handler = new Promise((resolve) => {
      this.#serve = resolve
    })
  }

  ownerOf(streamId: StreamId): 'here' | 'elsewhere' {
    return this.#options.ownedHere(streamId) ? 'here' : 'elsewhere'
  }

  serve(handler: RequestHandler): void {
    this.#serve(handler)
  }

  async send({ streamId, id, deadline, payload }: RoutedRequest): Promise<Uint8Array> {
    const { placeOf } = this.#options
    if (this.#closing) throw storeClosed()
    const { topic, partition } = placeOf(streamId)
    const leave = this.#backlog.enter(`${topic}/${partition}`, payload.length)
    try {
      return await this.#ask(topic, partition, { streamId, id, deadline, payload })
    } finally {
      leave()
    }
  }

  /** Whatever keeps the request from being sent, the caller waits no longer than until its deadline. */
  async #ask(topic: string, partition: number, request: RoutedRequest): Promise<Uint8Array> {
    const { streamId, id, deadline, payload } = request
    const ticket = randomUUID()
    const stamp = { id: `${ticket}/${id}`, deadline, instance: this.#instance, replyTo: this.#replyTo }
    const headers = [{ key: requestHeader, value: formatRequest(stamp) }]
    const reply = new Promise<Uint8Array>((resolve, reject) => this.#pending.set(stamp.id, { resolve, reject }))
    const fail = (error: unknown) => this.#pending.get(stamp.id)?.reject(error)
    const wait = Math.max(0, deadline - this.#options.clock.now()) + grace
    const timer = setTimeout(() => fail(noReply(streamId, id, wait)), wait)
    const send = async () => {
      await this.#listen()
      if (this.#closing) throw storeClosed()
      if (!this.#pending.has(stamp.id)) return
      await this.#sender.send(topic, partition, { key: Buffer.from(streamId), value: payload, headers })
    }
    try {
      send().catch(fail)
      return await reply
    } finally {
      clearTimeout(timer)
      this.#pending.delete(stamp.id)
    }
  }

  /** Handles the requests of a partition until the signal aborts. */
  async consume(topic: string, partition: number, membership: Membership, signal: AbortSignal): Promise<void> {
    const handle = await this.#handler
    const { driver, clock, logger } = this.#options
    const reply = (to: RequestStamp, payload: Uint8Array) => this.#reply(to, payload)
    const consumer = new RequestConsumer({ driver, clock, membership, logger, topic, partition, signal, handle, reply })
    const running = consumer.run().finally(() => this.#consumers.delete(running))
    this.#consumers.add(running)
  }

  /** Sends the replies that are under way; whoever still waits for one learns that it is unknown. */
  async close(): Promise<void> {
    this.#closing = true
    await Promise.all(this.#consumers)
    await this.#sender.close()
    this.#closed.abort(storeClosed())
    for (const [id, { reject }] of this.#pending) reject(noReply('a stream', id.slice(id.indexOf('/') + 1), 0))
    await this.#listening
  }

  #reply({ id, instance, replyTo }: RequestStamp, payload: Uint8Array): Promise<void> {
    const headers = [{ key: requestHeader, value: formatReply({ id, instance }) }]
    return this.#sender.send(this.#options.replyTopic, replyTo, { key: null, value: payload, headers })
  }

  /** The first request begins to listen for replies, from the end of the topic as it is then. */
  async #listen(): Promise<void> {
    const { driver, replyTopic } = this.#options
    this.#begun ??= driver.offsets(replyTopic, this.#replyTo).then(({ end }) => {
      this.#listening = this.#follow(end)
    })
    try {
      await this.#begun
    } catch (error) {
      this.#begun = undefined
      throw error
    }
  }

  async #follow(from: number): Promise<void> {
    const { driver, replyTopic: topic, logger } = this.#options
    const { signal } = this.#closed
    const reading = { topic, partition: this.#replyTo, maxBytes: 4 * 1024 * 1024, maxWait: 500, shared: true }
    const backoff = new Backoff(20, 1_000)
    for (let offset = from; !signal.aborted; ) {
      try {
        const { records, nextOffset } = await driver.fetch({ ...reading, offset, signal })
        for (const record of records) {
          const stamp = parseReply(record.header(requestHeader) ?? '')
          if (stamp?.instance !== this.#instance || record.value === null) continue
          this.#pending.get(stamp.id)?.resolve(Buffer.from(record.value))
        }
        offset = nextOffset
        backoff.reset()
      } catch (error) {
        if (signal.aborted) return
        logger.warn({ error }, 'Replies from other instances cannot be read at the moment; trying again')
        await backoff.pause(signal)
      }
    }
  }
}

function noReply(streamId: string, commandId: string, waited: number): NarrativeError {
  return new NarrativeError('OUTCOME_UNKNOWN', {
    message: `The owner of ${streamId} did not answer within ${Math.round(waited)} ms. Repeat the command with the same command id (${commandId}): it will act once.`,
    details: { streamId, commandId },
  })
}
