// Follows the log into one read model: opens a session, feeds it, and opens another one when it fails for a passing reason.
import { setTimeout as delay } from 'node:timers/promises'
import { type EventLog, type Health, isNarrativeError, type Logger, type LogPartition } from '@narrative/core'
import { Progress } from './progress.js'
import { type OpenSession, type Session, type SessionListener, ViewReplaced } from './session.js'
import { reasonOf } from './stopped.js'

/** What to follow, and into what. */
export interface FollowOptions {
  readonly name: string
  readonly categories: readonly string[]
  readonly eventLog: EventLog
  readonly logger: Logger
  readonly open: OpenSession
  /** Called after every commit, and at the end when it stops by itself. */
  readonly onProgress?: (progress: Progress) => void
}

type Phase =
  | { readonly at: 'idle' }
  | { readonly at: 'following' }
  | { readonly at: 'waiting'; readonly reason: string }
  | { readonly at: 'stopped'; readonly error: unknown }

const firstPause = 100
const longestPause = 5000

/** One projection at work. */
export class Follower {
  readonly progress: Progress
  private readonly stopping = new AbortController()
  private running: Promise<void> = Promise.resolve()
  private phase: Phase = { at: 'idle' }

  constructor(private readonly options: FollowOptions) {
    this.progress = new Progress(options.name, () => options.onProgress?.(this.progress))
  }

  /** Resolves when the partitions are known; the following itself goes on in the background. */
  async start(): Promise<void> {
    const { categories, eventLog } = this.options
    const partitions = (await Promise.all(categories.map((category) => eventLog.partitions(category)))).flat()
    this.progress.begin(partitions)
    this.running = this.run(partitions)
  }

  /** Commits what was applied, then stops. */
  async stop(): Promise<void> {
    this.stopping.abort()
    await this.running
  }

  /**
   * Resolves when everything that was in the log at the start has been applied.
   * @throws what stopped the projection; the signal's reason
   */
  async caughtUp(signal?: AbortSignal): Promise<void> {
    await this.progress.whenCaughtUp(signal)
  }

  health(): Health {
    const { name } = this.options
    const phase = this.phase
    if (phase.at === 'stopped') return { ready: false, reasons: [reasonOf(phase.error)] }
    if (phase.at === 'waiting') return { ready: false, reasons: [`Projection ${name} waits: ${phase.reason}.`] }
    if (this.progress.caughtUp) return { ready: true, reasons: [] }
    const behind = this.progress.partitions.reduce((sum, { offset, end }) => sum + Math.max(0, end - offset), 0)
    return { ready: false, reasons: [`Projection ${name} is catching up: ${behind} events to go.`] }
  }

  /** Never rejects: what ends it is kept as the phase and given to whoever waits. */
  private async run(partitions: readonly LogPartition[]): Promise<void> {
    let pause = firstPause
    while (!this.stopping.signal.aborted) {
      try {
        await this.follow(partitions, () => {
          pause = firstPause
        })
      } catch (error) {
        if (error instanceof ViewReplaced) {
          this.options.logger.info(
            { projection: this.options.name },
            `Projection ${this.options.name} goes on with its rebuilt view`,
          )
        } else if (isNarrativeError(error) && error.retryable) {
          pause = await this.wait(error, pause)
        } else {
          this.end(error)
          return
        }
      }
    }
  }

  private async follow(partitions: readonly LogPartition[], onCommit: () => void): Promise<void> {
    const attempt = new AbortController()
    let failure: { readonly error: unknown } | undefined
    const listener: SessionListener = {
      committed: (checkpoints) => {
        onCommit()
        this.phase = { at: 'following' }
        this.progress.moved(checkpoints)
      },
      failed: (error) => {
        failure ??= { error }
        attempt.abort()
      },
    }
    let session: Session | undefined
    try {
      session = await this.options.open(partitions, listener)
      this.phase = { at: 'following' }
      this.progress.moved(session.checkpoints)
      const signal = AbortSignal.any([this.stopping.signal, attempt.signal])
      const { categories, eventLog } = this.options
      for await (const batch of eventLog.subscribe({ categories, from: session.checkpoints, signal })) {
        const applied = session.apply(batch, this.progress.replayEnd(batch))
        if (applied !== undefined) await applied
        if (signal.aborted) break
      }
      if (failure === undefined) await session.flush()
    } catch (error) {
      // A failed commit is the first cause; what it made the loop throw only follows from it.
      const first = failure === undefined ? error : (failure as { readonly error: unknown }).error
      // The batches before a refused event are good: let readers have them.
      if (isNarrativeError(first, 'PROJECTION_STOPPED') && first === error) await this.flushBefore(session)
      throw first
    } finally {
      await session?.close()
    }
    if (failure !== undefined) throw (failure as { readonly error: unknown }).error
  }

  private async flushBefore(session: Session | undefined): Promise<void> {
    try {
      await session?.flush()
    } catch (error) {
      const { name, logger } = this.options
      logger.warn(
        { projection: name, error },
        `Projection ${name} could not store the batches before the refused event`,
      )
    }
  }

  private async wait(error: Error, pause: number): Promise<number> {
    const { name, logger } = this.options
    this.phase = { at: 'waiting', reason: reasonOf(error) }
    logger.warn({ projection: name, error, pause }, `Projection ${name} tries again in ${pause} ms`)
    // An abort ends the pause early; the loop then sees it.
    await delay(pause, undefined, { signal: this.stopping.signal }).catch(() => {})
    return Math.min(pause * 2, longestPause)
  }

  private end(error: unknown): void {
    const { name, logger } = this.options
    if (isNarrativeError(error, 'STORE_CLOSED') && this.stopping.signal.aborted) return
    this.phase = { at: 'stopped', error }
    logger.error({ projection: name, error }, `Projection ${name} stopped`)
    this.progress.stop(error)
  }
}
