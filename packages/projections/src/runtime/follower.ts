// Follows the log into one read model: opens a session, feeds it, and opens another one when it fails for a passing reason.
import { setTimeout as delay } from 'node:timers/promises'
import {
  type Checkpoint,
  type Clock,
  type EventBatch,
  type EventLog,
  isNarrativeError,
  type LogPartition,
} from '@narrative/core'
import type { FailurePolicy } from '../definition/failure-policy.js'
import { withUnreadable } from '../definition/unreadable-event.js'
import { parkedMessage } from '../failures/messages.js'
import { Backoff } from './backoff.js'
import type { CircuitBreaker } from './circuit-breaker.js'
import { PartitionShare, type ShareSettings } from './partition-share.js'
import { passed } from './passed.js'
import { Progress } from './progress.js'
import { type OpenSession, type Session, type SessionListener, ViewReplaced, WriteRefused } from './session.js'
import { reasonOf } from './stopped.js'
import type { Place } from './work-share.js'

/** What to follow, and into what. */
export interface FollowOptions extends ShareSettings {
  readonly categories: readonly string[]
  readonly onFailure: FailurePolicy
  /** By which it pauses before it tries again. */
  readonly clock: Clock
  readonly eventLog: EventLog
  readonly open: OpenSession
  /** Of the store that is followed into. */
  readonly breaker?: CircuitBreaker | undefined
  /** Every event counts as replayed: another one, who follows, sees to their effects. */
  readonly replayed?: boolean
  /** Called after every commit, and at the end when it stops by itself. */
  readonly onProgress?: (progress: Progress) => void
}

/** What a follower is doing, and why it is not getting on when it is not. */
export type FollowerPhase =
  | { readonly at: 'idle' }
  | { readonly at: 'following' }
  /** Others follow all partitions. */
  | { readonly at: 'standby' }
  /** Until somebody lets it go on. */
  | { readonly at: 'paused' }
  | { readonly at: 'retrying'; readonly reason: string }
  | { readonly at: 'stopped'; readonly error: unknown }

/** How often to look whether something is asked of dead letters, while there are any. Milliseconds. */
const attendEvery = 1000

/** One projection at work. */
export class Follower {
  readonly progress: Progress
  private readonly share: PartitionShare
  private readonly stopping = new AbortController()
  private readonly backoff = new Backoff()
  private running: Promise<void> = Promise.resolve()
  private all: readonly LogPartition[] = []
  private paused = false
  private current: FollowerPhase = { at: 'idle' }
  private session: Session | undefined
  /** Ends the session. */
  private fail: (error: unknown) => void = () => {}
  /** Up to where a write was refused. */
  private suspects: readonly Checkpoint[] = []
  /** A session does one thing at a time. */
  private turn: Promise<unknown> = Promise.resolve()

  constructor(private readonly options: FollowOptions) {
    const follower = this
    this.progress = new Progress(options.name, () => options.onProgress?.(this.progress), {
      get parked() {
        return follower.parked
      },
      isParked: (position) => this.session?.isParked(position) ?? false,
      stops: options.onFailure.action === 'stop',
    })
    this.share = new PartitionShare(options, this.progress)
  }

  get phase(): FollowerPhase {
    return this.current
  }

  /** Why the store cannot be followed into now; it goes on by itself. */
  get away(): Error | undefined {
    return this.options.breaker?.open
  }

  /** How many events are parked, as far as this process knows. */
  get parked(): number {
    return this.session?.parked ?? 0
  }

  /** Resolves when the partitions are known; the following itself goes on in the background. */
  async start(): Promise<void> {
    const { categories, eventLog } = this.options
    this.all = (await Promise.all(categories.map((category) => eventLog.partitions(category)))).flat()
    this.progress.begin(this.all)
    await this.share.begin(this.all)
    this.running = this.run()
  }

  /** Commits what was applied, then stops. */
  async stop(): Promise<void> {
    this.stopping.abort()
    await this.running
    await this.share.end()
  }

  /** Whether a partition is followed in this process. */
  isMine(place: Place): boolean {
    return this.share.includes(place)
  }

  /**
   * Resolves when everything that was in the log at the start has been applied.
   * @throws what stopped the projection; the signal's reason
   */
  async caughtUp(signal?: AbortSignal): Promise<void> {
    await this.progress.whenCaughtUp(signal)
  }

  /** Does what is asked of dead letters now, instead of at the next look; a projection that had stopped goes on. */
  async attend(): Promise<void> {
    if (this.current.at === 'stopped') this.beginAgain()
    else await this.lookAfterLetters()
  }

  /** Commits what was applied, and does nothing more until it is not paused any more. */
  setPaused(paused: boolean): void {
    if (paused === this.paused) return
    this.paused = paused
    this.beginAgain()
  }

  /** Goes on from what is stored now, also when it had stopped. */
  beginAgain(): void {
    if (this.stopping.signal.aborted) return
    this.share.renew()
    if (this.current.at !== 'stopped') return
    this.current = { at: 'idle' }
    this.progress.begin(this.all)
    this.running = this.run()
  }

  /** In turns of their own, so that batches are not held up for long. A failure is the session's. */
  private async lookAfterLetters(): Promise<void> {
    const { session, fail } = this
    if (session === undefined || session.parked === 0) return
    try {
      while (this.fail === fail && (await this.inTurn(() => session.attend(false))));
    } catch (error) {
      fail(error)
    }
  }

  /** Never rejects: what ends it is kept as the phase and given to whoever waits. */
  private async run(): Promise<void> {
    const { name, logger } = this.options
    while (!this.stopping.signal.aborted) {
      try {
        await this.follow()
      } catch (error) {
        if (error instanceof ViewReplaced) {
          logger.info({ projection: name }, `Projection ${name} goes on with its rebuilt view`)
        } else if (error instanceof WriteRefused) {
          this.suspects = error.reached
          await this.wait(error.cause)
        } else if (isNarrativeError(error) && error.retryable) {
          await this.wait(error)
        } else {
          this.end(error)
          return
        }
      }
    }
  }

  private async follow(): Promise<void> {
    const { open } = this.options
    const { mine } = this.share
    const attempt = new AbortController()
    const ending = AbortSignal.any([this.stopping.signal, this.share.changed])
    const signal = AbortSignal.any([ending, attempt.signal])
    if (this.paused) return await this.rest('paused', signal)
    if (mine.length === 0) return await this.rest('standby', signal)
    let failure: { readonly error: unknown } | undefined
    const fail = (error: unknown) => {
      failure ??= { error }
      attempt.abort()
    }
    let session: Session | undefined
    let attending: NodeJS.Timeout | undefined
    try {
      session = await open(mine, this.listener(fail, ending), this.suspects)
      this.session = session
      this.fail = fail
      this.current = { at: 'following' }
      this.progress.moved(session.checkpoints)
      await this.takeUp(session)
      attending = setInterval(() => void this.lookAfterLetters(), attendEvery)
      for await (const batch of this.batchesFor(session, mine, signal)) {
        await this.apply(session, batch)
        if (signal.aborted) break
      }
      await this.turn
      if (failure === undefined) await session.flush()
    } catch (error) {
      // A failed commit is the first cause; what it made the loop throw only follows from it.
      if (failure === undefined && !this.isEnding(error, ending)) throw error
    } finally {
      clearInterval(attending)
      this.fail = () => {}
      await this.turn
      await session?.close()
    }
    if (failure !== undefined) throw (failure as { readonly error: unknown }).error
  }

  private batchesFor({ checkpoints }: Session, mine: readonly Place[], signal: AbortSignal) {
    const { categories, eventLog } = this.options
    const partitions = [...new Set(mine.map(({ partition }) => partition))]
    return eventLog.subscribe({ categories, from: checkpoints, partitions, signal, unreadable: 'give' })
  }

  private async rest(at: 'paused' | 'standby', signal: AbortSignal): Promise<void> {
    this.session = undefined
    this.current = { at }
    if (signal.aborted) return
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
  }

  private listener(failed: (error: unknown) => void, ending: AbortSignal): SessionListener {
    const { name, logger } = this.options
    return {
      failed,
      committed: (checkpoints) => {
        this.backoff.reset()
        this.current = { at: 'following' }
        this.progress.moved(checkpoints)
      },
      retry: async (error, tried) => {
        this.current = { at: 'retrying', reason: reasonOf(error) }
        const pause = new Backoff(tried).next()
        logger.warn({ projection: name, error, tried, pause }, `Projection ${name} tries a batch again in ${pause} ms`)
        await passed(this.options.clock, pause, ending)
      },
      parked: (letters) => logger.error({ projection: name, events: letters.length }, parkedMessage(name, letters)),
    }
  }

  /** A projection that stops at a failure has parked it: it goes on there. */
  private async takeUp(session: Session): Promise<void> {
    if (this.options.onFailure.action !== 'stop') return
    while (session.parked > 0 && (await session.attend(true)));
  }

  private async apply(session: Session, batch: EventBatch): Promise<void> {
    const replayEnd = this.options.replayed ? Number.POSITIVE_INFINITY : this.progress.replayEnd(batch)
    await this.inTurn(() => session.apply(withUnreadable(batch), replayEnd))
  }

  private inTurn<T>(work: () => T | Promise<T>): Promise<T> {
    const done = this.turn.then(work)
    this.turn = done.catch(() => {})
    return done
  }

  private async wait(error: unknown): Promise<void> {
    const { name, logger, breaker } = this.options
    this.current = { at: 'retrying', reason: reasonOf(error) }
    // Away for all, it is back for all: this one alone has nothing to wait for.
    const perhapsAway = isNarrativeError(error, 'POSTGRES_UNREACHABLE')
    if (perhapsAway && (await breaker?.untilThere(this.stopping.signal))) return
    const pause = this.backoff.next()
    logger.warn({ projection: name, error, pause }, `Projection ${name} tries again in ${pause} ms`)
    // An abort ends the pause early; the loop then sees it.
    await delay(pause, undefined, { signal: this.stopping.signal }).catch(() => {})
  }

  /** What an end that was asked for makes others throw. */
  private isEnding(error: unknown, ending: AbortSignal): boolean {
    return ending.aborted && ((error as Error).name === 'AbortError' || isNarrativeError(error, 'STORE_CLOSED'))
  }

  private end(error: unknown): void {
    const { name, logger } = this.options
    this.current = { at: 'stopped', error }
    logger.error({ projection: name, error }, `Projection ${name} stopped`)
    this.progress.stop(error)
  }
}
