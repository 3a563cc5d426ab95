// The one writer of a partition, as a loop: claim, read up to the claim, serve; after any doubt the same again.
//
// Fence, fold and unknown outcomes share one way out. Whatever is not plainly acknowledged ends serving, and the log is
// read. If somebody else has claimed the partition since, it is lost for good. Otherwise it is claimed again: then the
// log has said the last word about everything that was in doubt.
import { type AppendResult, isNarrativeError, type NarrativeError, type PartitionStatus } from '@narrative/core'
import { Backoff } from './backoff.js'
import { catchUp } from './catch-up.js'
import { type Claim, claimPartition } from './claim.js'
import type { LogPoint } from './fold.js'
import { notServed, ownerFailed, storeClosed } from './owner-errors.js'
import { PartitionWriter, type WriterOptions } from './partition-writer.js'
import type { PendingAppend } from './pending-append.js'
import type { Replica } from './replica/replica.js'
import { type GroupWord, Rivals } from './rivals.js'
import { WatchedState } from './watched-state.js'

/** What an owner works on and with. */
export interface OwnerOptions extends WriterOptions, GroupWord {
  /** Milliseconds for which the first claim is tried while no broker answers; for ever when infinite. */
  readonly startTimeout: number
  /** Resolves when whoever had the replica before is done with it. */
  readonly vacated: Promise<unknown>
}

export class PartitionOwner {
  /** Resolves when the partition is served for the first time; rejects when it never will be. */
  readonly started: Promise<void>
  readonly #options: OwnerOptions
  readonly #name: string
  readonly #writer: PartitionWriter
  readonly #backoff = new Backoff(20, 1_000)
  readonly #closing = new AbortController()
  readonly #released = new AbortController()
  readonly #rivals: Rivals
  readonly #startBefore: number
  readonly #running: Promise<void>
  readonly #state = new WatchedState<PartitionStatus['state']>('claiming')
  #loss: NarrativeError | undefined
  #voids = 0
  #target = 0
  #servedSince = 0
  /** How often the replica failed on its own, and how many of these times the present claim came after. */
  #doubts = 0
  #doubtsSettled = 0
  #served = false
  #opened = false
  #startedSettled!: { readonly resolve: () => void; readonly reject: (error: unknown) => void }

  constructor(options: OwnerOptions) {
    this.#options = options
    this.#name = `${options.topic}/${options.partition}`
    this.#writer = new PartitionWriter(options)
    this.#rivals = new Rivals(options, options, this.#closing.signal)
    this.#startBefore = performance.now() + options.startTimeout
    this.started = new Promise((resolve, reject) => {
      this.#startedSettled = { resolve, reject }
    })
    this.started.catch(() => {}) // whoever waits for it sees it; nobody has to
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

  /** How far its replica has come; no promise that this instance still owns the partition. */
  get point(): LogPoint {
    return this.#options.replica.point
  }

  /** Aborts when it is closed or released. */
  get ended(): AbortSignal {
    return this.#closing.signal
  }

  /** @throws NarrativeError `NOT_OWNER`, `LOG_CORRUPT`, `LOG_TRUNCATED`: whatever ended the ownership */
  get replica(): Replica {
    if (this.#loss !== undefined) throw this.#loss
    return this.#options.replica
  }

  /** Its replica, when it can be looked into: no promise that it is current. */
  get copy(): Replica | undefined {
    return this.#opened && this.#loss === undefined ? this.#options.replica : undefined
  }

  /** It gave up because its replica cannot be kept here. */
  get diskFailed(): boolean {
    return this.failed && isNarrativeError(this.#loss, 'DISK_FAILED')
  }

  /** Whether it serves, or has served and will again in no time. */
  get warm(): boolean {
    return this.#served && (this.#state.now === 'serving' || this.#state.now === 'claiming')
  }

  /** It gave up, and its replica is not to be built upon. */
  get failed(): boolean {
    return this.#state.now === 'lost' && !this.#released.signal.aborted
  }

  get status(): PartitionStatus {
    const { topic, partition, replica } = this.#options
    const state = this.#state.now
    const why = this.#loss?.message ?? (state === 'closed' ? 'it was closed' : this.#writer.reason)
    const reason = state === 'serving' ? undefined : `${this.#name} is not served: ${why}`
    const { offset } = replica.point
    const lag = state === 'claiming' ? Math.max(0, this.#target - offset) : 0
    return { topic, partition, state, reason, offset, lag, voids: this.#voids, waiting: this.#writer.waiting }
  }

  /** @throws NarrativeError whatever ended the ownership; `STORE_BUSY`; and as the append itself */
  async append(append: PendingAppend): Promise<AppendResult> {
    if (this.#loss !== undefined) throw this.#loss
    return this.#writer.append(append)
  }

  /**
   * Resolves when the replica holds everything that was acknowledged, by anybody, before this call.
   *
   * While the group vouches for this instance (`sureUntil`) nobody else can have claimed the partition. Otherwise a batch
   * under our claim must be taken: that needs the replicas, where the word of a leader that is cut off and does not know it
   * would not do. When it is not taken, the log is read.
   * @throws NarrativeError `NOT_OWNER`, also when it is not served within `timeout`; and the driver's errors
   */
  async assertCurrent(sureUntil: number, timeout: number): Promise<void> {
    const { topic, partition } = this.#options
    const giveUp = performance.now() + timeout
    for (;;) {
      if (this.#loss !== undefined) throw this.#loss
      if (this.#state.now === 'closed') throw storeClosed()
      const serving = this.#state.now === 'serving'
      if (serving && performance.now() < sureUntil && this.#doubts === this.#doubtsSettled) return
      const left = giveUp - performance.now()
      if (left <= 0) throw notServed(topic, partition, this.#writer.reason)
      const changed = this.#state.changed(left).then(() => false)
      if (await (serving ? Promise.race([this.#writer.witness(), changed]) : changed)) return
    }
  }

  /** The replica can no longer be relied on: the partition is claimed again, and read to the claim, before anything more is told. */
  doubt(reason: string): void {
    this.#doubts++
    if (this.#state.now === 'serving') this.#waits(reason)
    this.#writer.interrupt(reason)
  }

  /** Answers what is under way, then stops. */
  async close(): Promise<void> {
    this.#writer.close()
    this.#closing.abort()
    await this.#running
  }

  /** Stops at once: the partition is somebody else's. Resolves when what was in flight is answered, with the truth. */
  async release(loss: NarrativeError): Promise<void> {
    this.#loss ??= loss
    this.#writer.release(loss)
    this.#released.abort(loss)
    this.#closing.abort(loss)
    await this.#running
  }

  async #run(): Promise<void> {
    const { topic, partition, logger, vacated } = this.#options
    try {
      await vacated
      for (let claim = await this.#claim(); claim !== undefined; claim = await this.#claim()) {
        const doubt = await this.#serve(claim).catch(replicaDoubt)
        if (doubt === undefined) continue // only to be claimed again: not worth a flicker of health
        this.#waits(doubt)
        logger.warn({ topic, partition }, `${this.#name}: ${doubt}; asking the log`)
      }
      this.#state.set('closed')
      this.#startedSettled.resolve() // when it was closed before: there is nothing more to wait for
    } catch (error) {
      this.#lose(error)
    }
  }

  /** @returns the doubt that ended it; undefined when there is none, and only a new claim is due */
  async #serve(claim: Claim): Promise<string | undefined> {
    this.#writer.settleDoubtful()
    if (this.#doubts !== this.#doubtsSettled) return undefined // one that came while it was being claimed
    this.#state.set('serving')
    this.#served = true
    this.#servedSince = performance.now()
    this.#writer.reason = ''
    this.#startedSettled.resolve()
    return this.#writer.serve(claim)
  }

  /** Tries until the partition is ours and read up to our claim; undefined when there is nobody left to try for. */
  async #claim(): Promise<Claim | undefined> {
    const { driver, topic, partition, clock, logger, replica } = this.#options
    while (!this.#writer.done) {
      this.#opened = false
      try {
        await replica.open?.()
        this.#opened = true
        const doubts = this.#doubts
        // The log as it is, first: most of the reading is done before anybody is fenced, and a rival is noticed.
        this.#target = (await driver.offsets(topic, partition)).end
        await this.#read(this.#target)
        await this.#yieldToRival()
        if (this.#abandoned) return undefined
        const time = Math.max(clock.now(), replica.lastTime)
        const claim = await claimPartition({ ...this.#options, time }, (id) => {
          this.#released.signal.throwIfAborted()
          this.#rivals.announce(id)
        })
        if ('outcome' in claim) {
          const refused = claim.outcome === 'not-done' && claim.reason === 'refused'
          if (!this.#served && (refused || performance.now() > this.#startBefore)) throw claim.error
          this.#waits(`its claim was not acknowledged: ${claim.error.message}`)
        } else {
          await this.#read(claim.offset + 1)
          const { point } = replica
          // Somebody may have claimed after us while we read: then nothing is served.
          if (point.claim === claim.id && point.offset === claim.offset + 1) {
            // It may have come late, after a pause: then another has the partition, and answers reads on the group's word.
            await this.#rivals.assured(claim.id)
            if (this.#abandoned) return undefined
            this.#backoff.reset()
            this.#doubtsSettled = doubts
            return claim
          }
        }
      } catch (error) {
        if (this.#abandoned) return undefined
        if (!this.#mayPass(error)) throw error
        this.#waits(error.message)
        logger.warn({ topic, partition, error }, `${this.#name} cannot be claimed at the moment; trying again`)
      }
      await this.#backoff.pause(this.#writer.waiting === 0 ? this.#closing.signal : undefined)
    }
    return undefined
  }

  #waits(reason: string): void {
    this.#state.set('claiming')
    this.#writer.reason = reason
  }

  /** Released, or closed before it was ever served: nobody waits for what it reads. */
  get #abandoned(): boolean {
    return this.#released.signal.aborted || (!this.#served && this.#closing.signal.aborted)
  }

  #read(offset: number): Promise<void> {
    const signal = (this.#served ? this.#released : this.#closing).signal
    return catchUp({ ...this.#options, signal, onVoid: (offsets) => this.#alarm(offsets) }, offset)
  }

  /** When somebody else has claimed the partition meanwhile, the group decides whose it is. */
  async #yieldToRival(): Promise<void> {
    const { logger, replica, topic, partition } = this.#options
    const { claim } = replica.point
    const loss = this.#rivals.lossBy(claim)
    if (loss === undefined) return
    this.#waits(loss.message)
    logger.warn({ topic, partition, claim }, loss.message)
    this.#writer.settleDoubtful() // the rival's claim was read from the log, so the log has said the last word
    await this.#rivals.outlast(claim, this.#servedSince)
  }

  /** Before the first claim somebody waits for open() and can put things right; later on they may right themselves. */
  #mayPass(error: unknown): error is NarrativeError {
    // Whether a replica can go on, it says when it is opened again.
    if (isNarrativeError(error, 'DISK_FAILED')) return this.#opened
    if (isNarrativeError(error, 'BROKER_UNREACHABLE')) return this.#served || performance.now() < this.#startBefore
    return isNarrativeError(error, 'BROKER_REFUSED') && (this.#served || this.#startBefore === Number.POSITIVE_INFINITY)
  }

  #lose(error: unknown): void {
    if (this.#released.signal.aborted) {
      this.#writer.fail(this.#loss)
      this.#state.set('lost')
      this.#startedSettled.resolve() // it is not ours to start any more
      return
    }
    const { topic, partition, logger } = this.#options
    const loss = isNarrativeError(error) ? error : ownerFailed(topic, partition, error)
    // A rival's claim was read from the log, so the log has the last word. Otherwise it could not be read to the end.
    if (isNarrativeError(error, 'NOT_OWNER')) this.#settleLast()
    this.#loss = loss
    this.#state.set('lost')
    this.#writer.fail(loss)
    this.#startedSettled.reject(loss)
    logger.error({ topic, partition, error }, loss.message)
  }

  /** What a damaged replica cannot answer any more is told as unknown. */
  #settleLast(): void {
    const { topic, partition, logger } = this.#options
    try {
      this.#writer.settleDoubtful()
    } catch (error) {
      logger.warn({ topic, partition, error }, `${this.#name}: what was in doubt stays so`)
    }
  }

  #alarm(offsets: readonly number[]): void {
    const { topic, partition, logger } = this.#options
    this.#voids += offsets.length
    logger.error(
      { topic, partition, offsets: offsets.slice(0, 20), voids: this.#voids },
      `${this.#name}: ${offsets.length} event(s) from offset ${offsets[0]} on were written by an instance that had lost the partition; they do not count`,
    )
  }
}

/** Of what is needed to serve only the replica fails, and whether it can go on, it says when it is opened again. */
function replicaDoubt(error: unknown): string {
  if (isNarrativeError(error, 'DISK_FAILED')) return error.message
  throw error
}
