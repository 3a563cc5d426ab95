// How far a projection has come, and who waits for it. Waiters are woken by commits: nobody polls.
import { type Checkpoint, formatPosition, type LogPartition, NarrativeError, type Position } from '@narrative/core'
import { eventParked } from '../failures/messages.js'

interface Waiter {
  reached(): boolean
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** Which events were passed without being applied. */
export interface Parking {
  isParked(position: Position): boolean
  /** How many. */
  readonly parked: number
  /** Whether the projection stops at such an event, so that the end of it is what those hear who wait. */
  readonly stops: boolean
}

/** The progress of one projection over all its partitions. */
export class Progress {
  private readonly offsets = new Map<string, number>()
  private readonly ends = new Map<string, LogPartition>()
  private readonly waiters = new Set<Waiter>()
  /** Why nothing more will come, once that is so. */
  stopped: unknown

  constructor(
    private readonly projection: string,
    private readonly changed: () => void = () => {},
    private readonly parking: Parking = { isParked: () => false, parked: 0, stops: false },
  ) {}

  /** Learns the partitions, with their ends at this moment. */
  begin(partitions: readonly LogPartition[]): void {
    this.stopped = undefined
    for (const partition of partitions) this.ends.set(nameOf(partition), partition)
  }

  moved(checkpoints: readonly Checkpoint[]): void {
    for (const checkpoint of checkpoints) this.offsets.set(nameOf(checkpoint), checkpoint.offset)
    for (const waiter of this.waiters) if (waiter.reached()) this.leave(waiter).resolve()
    this.changed()
  }

  /** Whether somebody waits for it to come further. */
  get awaited(): boolean {
    return this.waiters.size > 0
  }

  /** Nothing more will come. */
  stop(error: unknown): void {
    this.stopped = error
    for (const waiter of this.waiters) this.leave(waiter).reject(error)
    this.changed()
  }

  /** The end of a partition when the projection started. */
  replayEnd(of: { readonly topic: string; readonly partition: number }): number {
    return this.ends.get(nameOf(of))?.end ?? 0
  }

  /** Per partition: where it is, and where the log ended when it started. */
  get partitions(): readonly { topic: string; partition: number; offset: number; end: number }[] {
    return [...this.ends.values()].map(({ topic, partition, end }) => ({
      topic,
      partition,
      offset: this.offsets.get(nameOf({ topic, partition })) ?? 0,
      end,
    }))
  }

  /** True when all that was in the log at the start has been applied; what a projection has stopped at has not. */
  get caughtUp(): boolean {
    if (this.parking.stops && this.parking.parked > 0) return false
    return this.partitions.every(({ offset, end }) => offset >= end)
  }

  contains(position: Position): boolean {
    const passed = (this.offsets.get(nameOf(position)) ?? 0) > position.offset
    return passed && !(this.parking.stops && this.parking.isParked(position))
  }

  /**
   * Resolves once the event at a position has been applied; at once when its topic is not followed.
   * @throws NarrativeError `READ_MODEL_BEHIND`, `EVENT_PARKED`, `PROJECTION_STOPPED`
   */
  async waitFor(position: Position, timeout: number): Promise<void> {
    if (!this.ends.has(nameOf(position))) return
    if (!this.contains(position)) await this.reach(position, timeout)
    if (this.parking.isParked(position)) throw eventParked(this.projection, position)
  }

  private async reach(position: Position, timeout: number): Promise<void> {
    if (this.stopped !== undefined) throw this.stopped
    let timer: NodeJS.Timeout | undefined
    await new Promise<void>((resolve, reject) => {
      const waiter = { reached: () => this.contains(position), resolve, reject }
      this.waiters.add(waiter)
      timer = setTimeout(() => this.leave(waiter).reject(this.behind(position, timeout)), timeout)
    }).finally(() => clearTimeout(timer))
  }

  /** Resolves when all that was in the log at the start has been applied. */
  async whenCaughtUp(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    if (this.caughtUp) return
    if (this.stopped !== undefined) throw this.stopped
    let abort = () => {}
    await new Promise<void>((resolve, reject) => {
      const waiter = { reached: () => this.caughtUp, resolve, reject }
      this.waiters.add(waiter)
      abort = () => this.leave(waiter).reject(signal?.reason)
      signal?.addEventListener('abort', abort)
    }).finally(() => signal?.removeEventListener('abort', abort))
  }

  private leave(waiter: Waiter): Waiter {
    this.waiters.delete(waiter)
    return waiter
  }

  private behind(position: Position, timeout: number): NarrativeError<'READ_MODEL_BEHIND'> {
    const reached = this.offsets.get(nameOf(position)) ?? 0
    return new NarrativeError('READ_MODEL_BEHIND', {
      message: `Read model ${this.projection} did not reach ${formatPosition(position)} within ${timeout} ms; it contains the events before offset ${reached}. Ask again, or without "after".`,
      details: { projection: this.projection, position, reached, timeout },
    })
  }
}

function nameOf({ topic, partition }: { readonly topic: string; readonly partition: number }): string {
  return `${topic}/${partition}`
}
