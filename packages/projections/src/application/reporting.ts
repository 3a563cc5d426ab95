// A worker's word to those who look after the projections, and theirs to it: once a second, by way of the store.
import type { Logger } from '@narrative/core'
import type { ControlRoom } from '../runtime/control.js'
import type { ProjectionStatus } from './projection-status.js'

/** Who reports, and who listens to the answer. */
export interface ReportingOptions {
  readonly projection: string
  readonly worker: string
  readonly logger: Logger
  room(): ControlRoom
  status(): ProjectionStatus
  paused(paused: boolean): void
  /** The view is another one than before, or it is to be tried again. */
  wake(): void
}

const every = 1000

export class Reporting {
  private timer: NodeJS.Timeout | undefined
  private last: Promise<void> = Promise.resolve()
  private known: number | undefined

  constructor(private readonly options: ReportingOptions) {}

  /** Resolves when it is known whether the projection is paused. */
  async start(): Promise<void> {
    await this.report()
    this.timer = setInterval(() => void this.report(), every)
  }

  async stop(): Promise<void> {
    clearInterval(this.timer)
    await this.last
    const { projection, worker, room } = this.options
    // A worker that could not say goodbye is forgotten after a while.
    await room()
      .leave(projection, worker)
      .catch(() => {})
  }

  /** One report after the other. */
  report(): Promise<void> {
    this.last = this.last.then(() => this.exchange())
    return this.last
  }

  private async exchange(): Promise<void> {
    const { projection, worker, logger } = this.options
    try {
      const { state, reason, partitions } = this.options.status()
      const here = partitions.filter((partition) => partition.here).length
      const orders = await this.options.room().report(projection, { worker, state, reason, partitions: here })
      const isNews = this.known !== undefined && orders.wake !== this.known
      this.known = orders.wake
      this.options.paused(orders.paused)
      if (isNews) this.options.wake()
    } catch (error) {
      // The store is away; who follows it says so, and the next report may get through.
      logger.debug({ projection, error }, `Projection ${projection} could not report`)
    }
  }
}
