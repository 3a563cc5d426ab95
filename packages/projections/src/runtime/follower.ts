// Follows the log into one read model: opens a session, feeds it, and opens another one when it fails for a passing reason.
import { setTimeout as delay } from 'node:timers/promises'
import {
  type Checkpoint,
  type EventBatch,
  type EventLog,
  isNarrativeError,
  type Logger,
  type LogPartition,
  type ReaderShare,
} from '@narrative/core'
import type { FailurePolicy } from '../definition/failure-policy.js'
import { parkedMessage } from '../failures/messages.js'
import { Backoff } from './backoff.js'
import { Progress } from './progress.js'
import { type OpenSession, type Session, type SessionListener, ViewReplaced, WriteRefused } from './session.js'
import { reasonOf } from './stopped.js'
import type { Place } from './work-share.js'

/** What to follow, and into what. */
export interface FollowOptions {
  readonly name: string
  readonly categories: readonly string[]
  readonly onFailure: FailurePolicy
  readonly eventLog: EventLog
  readonly logger: Logger
  readonly open: OpenSession
  /** Shares the partitions with others; without it, all are followed here. */
  readonly share?: (all: readonly LogPartition[], onAssigned: (mine: readonly Place[]) => void) => Promise<ReaderShare>
  /** How far the read model is, as far as others work on it. */
  readonly checkpoints?: () => Promise<readonly Checkpoint[]>
  /** Called after every commit, and at the end when it stops by itself. */
  readonly onProgress?: (progress: Progress) => void
}

/** What a follower is doing, and why it is not getting on when it is not. */
export type FollowerPhase =
  | { readonly at: 'idle' }
  | { readonly at: 'following' }
  /** Others follow all partitions. */
  | { readonly at: 'standby' }
  | { readonly at: 'retrying'; readonly reason: string }
  | { readonly at: 'stopped'; readonly error: unknown }

/** How often to look whether something is asked of dead letters, while there are any. Milliseconds. */
const attendEvery = 1000
/** How often to ask how far others are: when somebody waits for them, and when nobody does. Milliseconds. */
const askOthers = { urgently: 25, usually: 1000 }

/** One projection at work. */
export class Follower {
  readonly progress: Progress
  private readonly stopping = new AbortController()
  private readonly backoff = new Backoff()
  private running: Promise<void> = Promise.resolve()
  private all: readonly LogPartition[] = []
  private mine: readonly Place[] = []
  /** Aborted when other partitions than before are to be followed. */
  private assignment = new AbortController()
  private membership: ReaderShare | undefined
  private asking: Promise<void> = Promise.resolve()
  private current: FollowerPhase = { at: 'idle' }
  private session: Session | undefined
  /** Ends the session. */
  private fail: (error: unknown) => void = () => {}
  /** Up to where a write was refused. */
  private suspects: readonly Checkpoint[] = []
  /** A session does one thing at a time. */
  private turn: Promise<unknown> = Promise.resolve()

  constructor(private readonly options: FollowOptions) {
    this.progress = new Progress(options.name, () => options.onProgress?.(this.progress), {
      isParked: (position) => this.session?.isParked(position) ?? false,
      stops: options.onFailure.action === 'stop',
    })
  }

  get phase(): FollowerPhase {
    return this.current
  }

  /** How many events are parked, as far as this process knows. */
  get parked(): number {
    return this.session?.parked ?? 0
  }

  /** Resolves when the partitions are known; the following itself goes on in the background. */
  async start(): Promise<void> {
    const { categories, eventLog } = this.options
    this.all = (await Promise.all(categories.map((category) => eventLog.partitions(category)))).flat()
    this.mine = this.all
    this.progress.begin(this.all)
    this.membership = await this.options.share?.(this.all, (mine) => this.assign(mine))
    this.running = this.run()
    this.asking = this.askOthers()
  }

  /** Commits what was applied, then stops. */
  async stop(): Promise<void> {
    this.stopping.abort()
    await this.running
    await this.asking
    await this.membership?.leave()
  }

  /** Whether a partition is followed in this process. */
  isMine({ topic, partition }: Place): boolean {
    return this.mine.some((place) => place.topic === topic && place.partition === partition)
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
    if (this.current.at === 'stopped' && !this.stopping.signal.aborted) {
      this.progress.begin(this.all)
      this.running = this.run()
    } else {
      await this.lookAfterLetters()
    }
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

  private assign(mine: readonly Place[]): void {
    if (mine.length === this.mine.length && mine.every((place) => this.isMine(place))) return
    this.mine = mine
    this.assignment.abort()
    this.assignment = new AbortController()
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
    const { mine } = this
    const attempt = new AbortController()
    const ending = AbortSignal.any([this.stopping.signal, this.assignment.signal])
    const signal = AbortSignal.any([ending, attempt.signal])
    if (mine.length === 0) return await this.standBy(signal)
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
    return eventLog.subscribe({ categories, from: checkpoints, partitions, signal })
  }

  private async standBy(signal: AbortSignal): Promise<void> {
    this.session = undefined
    this.current = { at: 'standby' }
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
        await delay(pause, undefined, { signal: ending })
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
    await this.inTurn(() => session.apply(batch, this.progress.replayEnd(batch)))
  }

  private inTurn<T>(work: () => T | Promise<T>): Promise<T> {
    const done = this.turn.then(work)
    this.turn = done.catch(() => {})
    return done
  }

  private async wait(error: unknown): Promise<void> {
    const { name, logger } = this.options
    const pause = this.backoff.next()
    this.current = { at: 'retrying', reason: reasonOf(error) }
    logger.warn({ projection: name, error, pause }, `Projection ${name} tries again in ${pause} ms`)
    // An abort ends the pause early; the loop then sees it.
    await delay(pause, undefined, { signal: this.stopping.signal }).catch(() => {})
  }

  /** Learns from the store how far others have come with their partitions. */
  private async askOthers(): Promise<void> {
    const { signal } = this.stopping
    const { checkpoints, logger, name } = this.options
    if (checkpoints === undefined) return
    for (let waited = 0; !signal.aborted; waited += askOthers.urgently) {
      await delay(askOthers.urgently, undefined, { signal }).catch(() => {})
      if (this.mine.length === this.all.length || !(this.progress.awaited || waited >= askOthers.usually)) continue
      waited = 0
      try {
        this.progress.moved((await checkpoints()).filter((checkpoint) => !this.isMine(checkpoint)))
      } catch (error) {
        // The next look may succeed; whoever waits is told in time how far it was.
        logger.debug({ projection: name, error }, `How far others are with projection ${name} cannot be told`)
      }
    }
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
