// The one writer of a partition, as a loop: claim, read up to the claim, serve; after any doubt the same again.
//
// Fence, fold and unknown outcomes share one way out. Whatever is not plainly acknowledged at the expected offset ends
// serving; the log is read; if somebody else has claimed the partition since, it is lost for good; otherwise it is
// claimed again, and then the log has said the last word about every append that was in doubt:
// an older epoch is fenced by the broker, and should one slip through, its claim is no longer the latest, so it is void.
import {
  type Appended,
  type AppendResult,
  type Clock,
  isNarrativeError,
  type Logger,
  type MessageMetadata,
  NarrativeError,
  type RecordedEvent,
} from '@narrative/core'
import { AppendQueue, type QueueLimits } from './append-queue.js'
import { Backoff } from './backoff.js'
import { type BatchLimits, type DraftBatch, tooLarge } from './batch-assembly.js'
import { catchUp } from './catch-up.js'
import { type Claim, claimPartition } from './claim.js'
import type { KafkaDriver, ProduceOutcome } from './driver/kafka-driver.js'
import type { PendingAppend } from './pending-append.js'
import type { Replica } from './replica/replica.js'

/** What an owner works on and with. */
export interface OwnerOptions {
  readonly driver: KafkaDriver
  readonly topic: string
  readonly partition: number
  /** Partitions of the topic. */
  readonly partitions: number
  readonly replica: Replica
  readonly clientId: string
  readonly clock: Clock
  readonly logger: Logger
  readonly queueLimits: QueueLimits
  readonly batchLimits: BatchLimits
  /** Milliseconds for which the first claim is tried while no broker answers. */
  readonly startTimeout: number
  /** Milliseconds after which a claim is renewed. */
  readonly renewAfter: number
}

/** One owned partition, for people and health checks. */
export interface PartitionStatus {
  readonly topic: string
  readonly partition: number
  readonly state: 'claiming' | 'serving' | 'lost' | 'closed'
  /** A sentence, when it does not serve. */
  readonly reason?: string
  /** The next offset its replica will read. */
  readonly offset: number
  /** Events found in the log that do not count. Must stay 0. */
  readonly voids: number
  /** Appends that wait for the next batch. */
  readonly waiting: number
}

export class PartitionOwner {
  readonly #options: OwnerOptions
  readonly #name: string
  readonly #queue: AppendQueue
  readonly #backoff = new Backoff(20, 2_000)
  /** Every claim id this owner ever tried to write. */
  readonly #mine = new Set<string>()
  /** The claim in force when this owner started: the predecessor's, which is no reason to step back. */
  #predecessor: string | null | undefined
  /** Appends that were sent and not plainly acknowledged: the log decides. */
  #doubtful: readonly PendingAppend[] = []
  #state: PartitionStatus['state'] = 'claiming'
  #reason = 'it is being claimed'
  #loss: NarrativeError | undefined
  #voids = 0
  #closing = new AbortController()
  #expiry: NodeJS.Timeout | undefined
  #started = false
  readonly #startBefore: number
  readonly #running: Promise<void>
  #ready!: { resolve: () => void; reject: (error: unknown) => void }
  /** Resolves when the partition is served for the first time. */
  readonly started: Promise<void>

  constructor(options: OwnerOptions) {
    this.#options = options
    this.#name = `${options.topic}/${options.partition}`
    this.#queue = new AppendQueue(this.#name, options.queueLimits)
    this.#startBefore = performance.now() + options.startTimeout
    this.started = new Promise((resolve, reject) => {
      this.#ready = { resolve, reject }
    })
    this.#running = this.#run()
  }

  get topic(): string {
    return this.#options.topic
  }

  get partition(): number {
    return this.#options.partition
  }

  /** Partitions of the topic. */
  get partitions(): number {
    return this.#options.partitions
  }

  get replica(): Replica {
    return this.#options.replica
  }

  status(): PartitionStatus {
    const { topic, partition, replica } = this.#options
    const reason = this.#state === 'serving' ? undefined : `${this.#name}: ${this.#reason}`
    return {
      topic,
      partition,
      state: this.#state,
      reason,
      offset: replica.point.offset,
      voids: this.#voids,
      waiting: this.#queue.length,
    }
  }

  /** @throws NarrativeError `NOT_OWNER` (or why the partition cannot be served at all) */
  assertOwned(): void {
    if (this.#loss !== undefined) throw this.#loss
  }

  /** @throws NarrativeError as {@link EventStore.append} */
  append(append: PendingAppend): Promise<AppendResult> {
    this.assertOwned()
    this.#queue.add(append)
    if (this.#expiry === undefined) this.#watchDeadlines()
    return append.answer
  }

  /** Answers what is under way, then stops. */
  async close(): Promise<void> {
    this.#closing.abort()
    this.#queue.wake()
    await this.#running
    clearTimeout(this.#expiry)
  }

  get #done(): boolean {
    if (!this.#closing.signal.aborted || this.#queue.length > 0) return false
    return this.#doubtful.every((append) => append.settled)
  }

  async #run(): Promise<void> {
    try {
      while (!this.#done) {
        const claim = await this.#claim()
        if (claim === undefined) break
        this.#settleDoubtful()
        this.#state = 'serving'
        this.#started = true
        this.#ready.resolve()
        await this.#serve(claim)
        this.#state = 'claiming'
      }
      this.#state = 'closed'
      this.#reason = 'it was closed'
    } catch (error) {
      this.#lose(error)
    }
  }

  /** Tries until the partition is ours and read up to our claim; undefined when there is no more reason to try. */
  async #claim(): Promise<Claim | undefined> {
    const { driver, topic, partition, partitions, clientId, clock, replica } = this.#options
    while (!this.#done) {
      try {
        // First the log as it is: most of the reading is done before anybody is fenced, and a rival is noticed.
        await this.#read((await driver.offsets(topic, partition)).end)
        this.#yieldToRival()
        const time = Math.max(clock.now(), replica.lastTime)
        const request = { driver, topic, partition, partitions, clientId, time }
        const claim = await claimPartition(request, (id) => this.#mine.add(id))
        if ('outcome' in claim) {
          this.#reason = `its claim was not acknowledged (${claim.error.message}); trying again`
        } else {
          await this.#read(claim.offset + 1)
          this.#backoff.reset()
          // Nothing is served when a rival's claim followed ours before we had read it.
          if (replica.point.claim === claim.id && replica.point.offset === claim.offset + 1) return claim
        }
      } catch (error) {
        if (!this.#mayRecover(error)) throw error
        this.#reason = `${error.message} Trying again.`
        this.#options.logger.warn({ topic, partition, error }, `${this.#name} cannot be claimed yet; trying again`)
      }
      await this.#backoff.pause(this.#queue.length === 0 ? this.#closing.signal : undefined)
    }
    return undefined
  }

  #read(offset: number): Promise<void> {
    return catchUp({ ...this.#options, onVoid: (offsets) => this.#alarm(offsets) }, offset)
  }

  /** A partition that a rival claimed after us stays the rival's: a zombie must not steal it back. */
  #yieldToRival(): void {
    const { claim } = this.replica.point
    if (this.#predecessor === undefined) this.#predecessor = claim
    if (claim === null || claim === this.#predecessor || this.#mine.has(claim)) return
    throw new NarrativeError('NOT_OWNER', {
      message: `${this.#name} was claimed by another instance (claim ${claim}); this one does not write to it any more. Send the command to the owner, or restart this instance to take over.`,
      details: { topic: this.#options.topic, partition: this.#options.partition, claim },
    })
  }

  /** Before the first claim somebody waits for open() and can put things right; later on they may right themselves. */
  #mayRecover(error: unknown): error is NarrativeError {
    if (isNarrativeError(error, 'BROKER_UNREACHABLE')) return this.#started || performance.now() < this.#startBefore
    return isNarrativeError(error, 'BROKER_REFUSED') && this.#started
  }

  async #serve(claim: Claim): Promise<void> {
    const { clock, replica, topic, partition, batchLimits, renewAfter } = this.#options
    const source = `/${topic}`
    const renewal = performance.now() + renewAfter
    let sequence = 1
    while (!this.#done) {
      await this.#queue.work(renewal - performance.now())
      if (performance.now() >= renewal || sequence > maxSequence) return
      const time = Math.max(clock.now(), replica.lastTime)
      const batch = this.#queue.take(replica, claim.id, source, time, batchLimits)
      if (batch === undefined) continue
      const appends = batch.appends.map(({ append }) => append)
      for (const append of appends) append.sent = true
      this.#doubtful = appends
      const sent = { topic, partition, identity: claim.identity, sequence, time, records: batch.records }
      const outcome = await this.#send(sent)
      if (outcome.outcome === 'done' && outcome.baseOffset === replica.point.offset) {
        this.#acknowledge(batch, claim, outcome.baseOffset)
        sequence += batch.records.length
      } else if (outcome.outcome === 'not-done' && outcome.reason === 'too-large') {
        this.#split(appends)
      } else {
        this.#doubt(outcome, appends)
        return
      }
    }
  }

  /** Sends a batch; while the broker says that it surely was not taken, the very same batch under the same sequence. */
  async #send(batch: Parameters<KafkaDriver['produce']>[0]): Promise<ProduceOutcome> {
    const backoff = new Backoff(10, 500)
    const giveUp = performance.now() + 5_000 // then a fresh claim tells more than another attempt
    for (;;) {
      const outcome = await this.#options.driver.produce(batch)
      if (outcome.outcome !== 'not-done' || outcome.reason !== 'retry' || performance.now() > giveUp) return outcome
      this.#options.logger.debug({ topic: batch.topic, partition: batch.partition, error: outcome.error }, 'sent again')
      await backoff.pause()
    }
  }

  #acknowledge(batch: DraftBatch, claim: Claim, baseOffset: number): void {
    const { topic, partition, replica } = this.#options
    const events: RecordedEvent[] = []
    const answers: Appended[] = []
    for (const { append, firstVersion } of batch.appends) {
      let version = firstVersion
      const { streamId } = append
      const metadata = metadataOf(append)
      for (const event of append.events) {
        const position = { topic, partition, offset: baseOffset + events.length }
        const { id, type, schemaVersion, contentType, data } = event
        events.push({
          id,
          type,
          schemaVersion,
          contentType,
          data,
          streamId,
          version: version++,
          position,
          time: batch.time,
          metadata,
        })
      }
      const { position } = events.at(-1)!
      answers.push({ outcome: 'appended', firstVersion, version: version - 1, position, duplicate: false })
    }
    replica.apply(events, { offset: baseOffset + events.length, claim: claim.id })
    this.#doubtful = []
    for (const [index, { append }] of batch.appends.entries()) append.resolve(answers[index]!)
  }

  /** None may fail for its neighbour's size: each goes alone, and the one that is still too large is the culprit. */
  #split(appends: readonly PendingAppend[]): void {
    this.#doubtful = []
    const [only, ...others] = appends
    if (others.length === 0) {
      only!.reject(tooLarge(only!, undefined, this.#options.batchLimits.maxBytes))
      return
    }
    for (const append of appends) {
      append.sent = false
      append.alone = true
    }
    this.#queue.putBack(appends)
  }

  #doubt(outcome: ProduceOutcome, appends: readonly PendingAppend[]): void {
    const { topic, partition, logger } = this.#options
    if (outcome.outcome === 'done') {
      this.#reason = `an append was acknowledged at offset ${outcome.baseOffset}, not at ${this.replica.point.offset}: somebody else wrote; reading the log`
    } else {
      this.#reason = `an append was not acknowledged (${outcome.error.message}); claiming again to learn what became of it`
      if (outcome.outcome === 'not-done' && outcome.reason === 'refused') this.#refuse(outcome.error, appends)
    }
    logger.warn({ topic, partition, outcome }, `${this.#name}: ${this.#reason}`)
  }

  /** A refusal may be the identity's fault, which a new claim heals; the second time, alone, it is the append's. */
  #refuse(error: Error, appends: readonly PendingAppend[]): void {
    for (const append of appends) {
      if (append.alone) {
        append.reject(
          isNarrativeError(error) && error.code === 'BROKER_REFUSED'
            ? error
            : new NarrativeError('BROKER_REFUSED', {
                message: `Kafka refused an append to ${append.streamId}: ${error.message}`,
                details: { streamId: append.streamId },
                cause: error,
              }),
        )
      }
      append.alone = true
    }
  }

  /**
   * The log has been read past the point where appends in doubt could still get in. Those that are there are
   * acknowledged as what they are. The others are certainly not there and never will be, so they may be tried again
   * under the new claim, with their version checked again; those whose callers have given up are dropped.
   */
  #settleDoubtful(): void {
    const again: PendingAppend[] = []
    for (const append of this.#doubtful) {
      if (append.settled) continue
      const found = this.replica.findCommand(append.streamId, append.commandId)
      if (found !== undefined) {
        append.resolve({ ...found, duplicate: false })
        continue
      }
      append.sent = false
      again.push(append)
    }
    this.#doubtful = []
    this.#queue.putBack(again)
  }

  #lose(error: unknown): void {
    const loss = isNarrativeError(error)
      ? error
      : new NarrativeError('NOT_OWNER', {
          message: `${this.#name} is not served after an unexpected failure; restart this instance.`,
          cause: error,
        })
    this.#loss = loss
    this.#state = 'lost'
    this.#reason = loss.message
    // After a rival's claim the log has the last word as well. After anything else it could not be read to the end.
    if (loss.code === 'NOT_OWNER' && loss === error) this.#settleDoubtful()
    for (const append of this.#doubtful) if (!append.settled) append.reject(this.#unknown(append, loss))
    this.#doubtful = []
    this.#queue.fail(loss)
    this.#ready.reject(loss)
    this.started.catch(() => {}) // whoever waits for it sees it; nobody has to
    this.#options.logger.error({ topic: this.#options.topic, partition: this.#options.partition, error }, loss.message)
  }

  #alarm(offsets: readonly number[]): void {
    const { topic, partition, logger } = this.#options
    this.#voids += offsets.length
    logger.error(
      { topic, partition, offsets: offsets.slice(0, 20), voids: this.#voids },
      `${this.#name}: ${offsets.length} event(s) from offset ${offsets[0]} on were written by an instance that had lost the partition; they do not count`,
    )
  }

  #watchDeadlines(): void {
    const now = performance.now()
    const late = (append: PendingAppend | undefined) => append && !append.settled && append.deadline <= now
    for (const append of this.#doubtful) if (late(append)) append.reject(this.#unknown(append))
    this.#queue.expire(now, (append) => this.#unreached(append))
    const pending = [...this.#doubtful.filter((append) => !append.settled), this.#queue.oldest]
    const next = pending.reduce(
      (soonest, append) => Math.min(soonest, append?.deadline ?? soonest),
      Number.POSITIVE_INFINITY,
    )
    this.#expiry = undefined
    if (next === Number.POSITIVE_INFINITY) return
    this.#expiry = setTimeout(() => this.#watchDeadlines(), Math.max(1, next - now))
    this.#expiry.unref()
  }

  #unknown({ streamId, commandId }: PendingAppend, cause?: unknown): NarrativeError {
    return new NarrativeError('OUTCOME_UNKNOWN', {
      message: `An append to ${streamId} was sent to ${this.#name} and its outcome could not be learned in time. Repeat it with the same command id (${commandId}): it will act once.`,
      details: { streamId, commandId },
      cause,
    })
  }

  #unreached({ streamId, commandId }: PendingAppend): NarrativeError {
    return new NarrativeError('BROKER_UNREACHABLE', {
      message: `An append to ${streamId} could not be sent in time because ${this.#state === 'serving' ? `${this.#name} is too slow` : `${this.#name}: ${this.#reason}`}. Nothing was written; repeat it later.`,
      details: { streamId, commandId },
    })
  }
}

/** A copy without whatever else the caller's object holds, as the log would give it back. */
function metadataOf({ options }: PendingAppend): MessageMetadata {
  const { commandId, correlationId, causationId, traceparent } = options.metadata
  const ids = { commandId, correlationId, causationId }
  return traceparent === undefined ? ids : { ...ids, traceparent }
}

/** Sequence numbers are 32 bit: a new claim starts them over, long before they run out. */
const maxSequence = 1_000_000_000
