// The control room of read models in this process.
import type { ControlRoom, KnownWorker, Orders, StoredState, WorkerReport } from '../runtime/control.js'

/** What the store knows by itself. */
export type MemoryState = Omit<StoredState, 'paused' | 'workers' | 'build'>

export class MemoryControl implements ControlRoom {
  private readonly orders = new Map<string, Orders>()
  private readonly workers = new Map<string, Map<string, WorkerReport & { readonly at: number }>>()

  constructor(private readonly look: (projection: string) => Promise<MemoryState>) {}

  /** Has the workers of a projection begin again. */
  wake(projection: string, paused = this.of(projection).paused): void {
    this.orders.set(projection, { paused, wake: this.of(projection).wake + 1 })
  }

  async report(projection: string, report: WorkerReport): Promise<Orders> {
    const workers = this.workers.get(projection) ?? new Map()
    this.workers.set(projection, workers.set(report.worker, { ...report, at: Date.now() }))
    return this.of(projection)
  }

  async leave(projection: string, worker: string): Promise<void> {
    this.workers.get(projection)?.delete(worker)
  }

  async setPaused(projection: string, paused: boolean): Promise<void> {
    this.wake(projection, paused)
  }

  /** A build in memory ends by the signal it was begun with, and leaves nothing behind. */
  async cancelBuild(): Promise<boolean> {
    return false
  }

  async state(projection: string): Promise<StoredState> {
    const workers = [...(this.workers.get(projection)?.values() ?? [])].map(
      ({ at, ...report }): KnownWorker => ({ ...report, silentFor: Date.now() - at }),
    )
    return { ...(await this.look(projection)), paused: this.of(projection).paused, workers, build: undefined }
  }

  private of(projection: string): Orders {
    return this.orders.get(projection) ?? { paused: false, wake: 0 }
  }
}
