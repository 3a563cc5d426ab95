// Writes to one partition under one claim at a time: one batch in flight, while the next one fills.
//
// It knows two ends for a batch. Plainly acknowledged at the expected offset: its callers are answered. Anything else:
// the batch is in doubt, writing stops, and nobody is answered before the owner has read what the log says.
import type { AppendResult, Clock, Logger, NarrativeError } from '@narrative/core'
import { acknowledge } from './acknowledgement.js'
import { AppendQueue, type QueueLimits } from './append-queue.js'
import { Backoff } from './backoff.js'
import type { BatchLimits, DraftBatch } from './batch-assembly.js'
import type { Claim } from './claim.js'
import type { KafkaDriver, ProduceOutcome, RecordBatch } from './driver/kafka-driver.js'
import { notSent, outcomeUnknown, refused, tooLarge } from './owner-errors.js'
import type { PendingAppend } from './pending-append.js'
import { encodeClaim } from './record-codec.js'
import type { Replica } from './replica/replica.js'

/** What a writer works on and with. */
export interface WriterOptions {
  readonly driver: KafkaDriver
  readonly topic: string
  readonly partition: number
  /** Partitions of the topic. */
  readonly partitions: number
  readonly clientId: string
  readonly replica: Replica
  readonly clock: Clock
  readonly logger: Logger
  readonly queueLimits: QueueLimits
  readonly batchLimits: BatchLimits
  /** Milliseconds after which a claim is renewed. */
  readonly renewAfter: number
}

/** Sequence numbers are 32 bit: a new claim starts them over, long before they run out. */
const maxSequence = 1_000_000_000

export class PartitionWriter {
  readonly #options: WriterOptions
  readonly #name: string
  readonly #queue: AppendQueue
  /** Sent and not plainly acknowledged. */
  #doubtful: readonly PendingAppend[] = []
  #closing = false
  #released: NarrativeError | undefined
  #flight: Promise<unknown> | undefined
  #interrupted: string | undefined
  /** Readers that wait for a batch to be taken. */
  #witnesses: ((taken: boolean) => void)[] = []
  #expiry: NodeJS.Timeout | undefined
  /** Why appends wait, for those whose time runs out. */
  reason = ''

  constructor(options: WriterOptions) {
    this.#options = options
    this.#name = `${options.topic}/${options.partition}`
    this.#queue = new AppendQueue(this.#name, options.queueLimits)
  }

  get waiting(): number {
    return this.#queue.length
  }

  /** True when it was closed and owes nobody an answer. */
  get done(): boolean {
    return this.#closing && this.#queue.length === 0 && this.#doubtful.every((append) => append.settled)
  }

  /** @throws NarrativeError `STORE_BUSY`, and as the append itself */
  append(append: PendingAppend): Promise<AppendResult> {
    this.#queue.add(append)
    if (this.#expiry === undefined) this.#watchDeadlines()
    return append.answer
  }

  /** What is under way is still written and answered. */
  close(): void {
    this.#closing = true
    this.#queue.wake()
  }

  /**
   * The partition is somebody else's from now on: nothing more is sent. What waits is refused with `error`; what is in
   * flight is answered by what comes back.
   */
  release(error: NarrativeError): void {
    this.#closing = true
    this.#released = error
    if (this.#flight === undefined) this.fail(error)
    this.#queue.fail(error)
    this.#queue.wake()
  }

  /**
   * Resolves with true when the log has taken a batch that was sent after this call where it was expected: then whatever
   * anybody wrote before this call is in the replica. With nothing to write, the claim is written once more. It may never
   * settle; whoever waits looks out for the end of serving as well.
   */
  witness(): Promise<boolean> {
    return new Promise((resolve) => {
      this.#witnesses.push(resolve)
      this.#queue.wake()
    })
  }

  /** Ends serving with a doubt from outside. */
  interrupt(doubt: string): void {
    this.#interrupted = doubt
    this.#queue.wake()
  }

  /** Writes until it is {@link done}, the claim is due for renewal, or a batch is in doubt; gives the doubt. */
  async serve(claim: Claim): Promise<string | undefined> {
    const { clock, replica, topic, partition, batchLimits, renewAfter } = this.#options
    const { identity } = claim
    const renewal = performance.now() + renewAfter
    let sequence = 1 // 0 was the claim record
    this.#interrupted = undefined
    while (!this.done) {
      await this.#queue.work(renewal - performance.now())
      if (this.#interrupted !== undefined) return this.#interrupted
      if (performance.now() >= renewal || sequence > maxSequence) return undefined
      const time = Math.max(clock.now(), replica.lastTime)
      const witnesses = this.#witnesses.splice(0)
      const batch =
        this.#queue.take(replica, claim.id, `/${topic}`, time, batchLimits) ??
        (witnesses.length === 0 ? undefined : this.#claimOnceMore(claim, time))
      if (batch === undefined) continue
      const appends = batch.appends.map(({ append }) => append)
      this.#doubtful = appends
      const sending = this.#send({ topic, partition, identity, sequence, time, records: batch.records })
      this.#flight = sending
      const outcome = await sending
      this.#flight = undefined
      if (outcome.outcome === 'done' && outcome.baseOffset === replica.point.offset) {
        this.#settle(batch, claim, outcome.baseOffset)
        sequence += batch.records.length
        for (const tell of witnesses) tell(true)
      } else if (this.#released !== undefined) {
        this.#abandon(outcome, this.#released)
      } else if (outcome.outcome === 'not-done' && outcome.reason === 'too-large') {
        this.#split(appends)
        this.#witnesses.push(...witnesses)
      } else {
        return this.#doubt(outcome)
      }
    }
    return undefined
  }

  /**
   * Answers appends in doubt by the log, which was read past the point where they could still get in.
   *
   * Those that are there are acknowledged as what they are. The others are not there and never will be: should such a
   * batch still arrive, the broker fences it, and where it does not, its claim is no longer the latest and it is void.
   * So they may be written again, with their version checked again. Those whose callers have given up are dropped.
   */
  settleDoubtful(): void {
    const again: PendingAppend[] = []
    for (const append of this.#doubtful) {
      if (append.settled) continue
      const found = this.#options.replica.findCommand(append.streamId, append.commandId)
      if (found !== undefined) {
        append.resolve({ ...found, duplicate: false })
      } else {
        again.push(append)
      }
    }
    this.#doubtful = []
    this.#queue.putBack(again)
  }

  /** Fails everything: what was sent and is still in doubt as unknown, the rest with `error`. */
  fail(error: unknown): void {
    for (const append of this.#doubtful) if (!append.settled) append.reject(outcomeUnknown(append, this.#name, error))
    this.#doubtful = []
    this.#queue.fail(error)
    clearTimeout(this.#expiry)
  }

  /** While the broker says that the batch was surely not taken: the very same batch, under the same sequence. */
  async #send(batch: RecordBatch): Promise<ProduceOutcome> {
    const { driver, logger, topic, partition } = this.#options
    const backoff = new Backoff(10, 500)
    const giveUp = performance.now() + 5_000 // then a fresh claim tells more than another attempt
    for (;;) {
      const outcome = await driver.produce(batch)
      const final = outcome.outcome !== 'not-done' || outcome.reason !== 'retry'
      if (final || performance.now() > giveUp || this.#released !== undefined) return outcome
      logger.debug({ topic, partition, error: outcome.error }, `${this.#name}: a batch was not taken; sending it again`)
      await backoff.pause()
    }
  }

  /** In flight when the partition was lost. To ask the log would take a claim, which is not ours to make any more. */
  #abandon(outcome: ProduceOutcome, error: NarrativeError): void {
    for (const append of this.#doubtful) {
      if (append.settled) continue
      append.reject(outcome.outcome === 'not-done' ? error : outcomeUnknown(append, this.#name, error))
    }
    this.#doubtful = []
  }

  #settle(batch: DraftBatch, claim: Claim, baseOffset: number): void {
    const { topic, partition, replica } = this.#options
    const { events, answers } = acknowledge(batch, topic, partition, baseOffset)
    replica.apply(events, { offset: baseOffset + batch.records.length, claim: claim.id })
    this.#doubtful = []
    batch.appends.forEach(({ append }, index) => {
      append.resolve(answers[index]!)
    })
  }

  /** A batch that changes nothing: readers know this claim already. */
  #claimOnceMore({ id }: Claim, time: number): DraftBatch {
    const { partitions, clientId } = this.#options
    return { appends: [], records: [encodeClaim(id, partitions, clientId, new Date(time).toISOString())], time }
  }

  /** None may fail for its neighbour's size: each goes alone, and the one that is still too large is the culprit. */
  #split(appends: readonly PendingAppend[]): void {
    this.#doubtful = []
    if (appends.length === 1) {
      appends[0]!.reject(tooLarge(appends[0]!, undefined, this.#options.batchLimits.maxBytes))
      return
    }
    for (const append of appends) append.alone = true
    this.#queue.putBack(appends)
  }

  #doubt(outcome: ProduceOutcome): string {
    if (outcome.outcome === 'done') {
      return `an append was acknowledged at offset ${outcome.baseOffset} instead of ${this.#options.replica.point.offset}: somebody else wrote`
    }
    if (outcome.outcome === 'not-done' && outcome.reason === 'refused') this.#refuse(outcome.error)
    return `an append was not acknowledged: ${outcome.error.message}`
  }

  /** A refusal may be the identity's fault, which a new claim heals. The second time, alone, it is the append's. */
  #refuse(error: Error): void {
    for (const append of this.#doubtful) {
      if (append.alone) append.reject(refused(append, error))
      append.alone = true
    }
  }

  /** Nobody waits longer than was promised, whatever the loop is busy with. Armed while anybody waits. */
  #watchDeadlines(): void {
    const now = performance.now()
    for (const append of this.#doubtful) {
      if (!append.settled && append.deadline <= now) append.reject(outcomeUnknown(append, this.#name))
    }
    const why = this.reason === '' ? `${this.#name} is too slow` : this.reason
    this.#queue.expire(now, (append) => notSent(append, why))
    const deadlines = this.#doubtful.filter((append) => !append.settled).map((append) => append.deadline)
    const next = Math.min(this.#queue.oldest?.deadline ?? Number.POSITIVE_INFINITY, ...deadlines)
    this.#expiry = undefined
    if (next === Number.POSITIVE_INFINITY) return
    this.#expiry = setTimeout(() => this.#watchDeadlines(), Math.max(1, next - now))
    this.#expiry.unref()
  }
}
