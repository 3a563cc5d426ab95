// Turns the progress of a rebuild into rates and remaining times, a few times a second.
import type { Place } from './work-share.js'

/** How far one partition is. */
export interface PartitionProgress extends Place {
  readonly offset: number
  /** Where the log ended when this round of the rebuild began. */
  readonly end: number
  readonly eventsPerSecond: number
  /** Undefined until there is a rate to tell it by. */
  readonly secondsLeft: number | undefined
}

/** How far a rebuild is, by all who work on it. Events are counted by offsets, which also number the log's own few records. */
export interface RebuildProgress {
  readonly projection: string
  readonly events: number
  /** The events in the log when the rebuild, or its last round, began. */
  readonly total: number
  readonly eventsPerSecond: number
  /** Undefined until there is a rate to tell it by. */
  readonly secondsLeft: number | undefined
  readonly partitions: readonly PartitionProgress[]
}

/** Where the partitions are, and where they are going. */
export interface Measured {
  readonly partitions: readonly (Place & { readonly offset: number; readonly end: number })[]
}

export class ProgressMeter {
  private readonly began = performance.now()
  private reported = 0
  /** Where each partition was at the first look: what was there before is nobody's speed. */
  private readonly before = new Map<string, number>()
  private latest: Measured['partitions'] = []

  constructor(
    private readonly projection: string,
    private readonly onProgress: ((progress: RebuildProgress) => void) | undefined,
  ) {}

  report({ partitions }: Measured): void {
    this.latest = partitions
    for (const at of partitions) if (!this.before.has(nameOf(at))) this.before.set(nameOf(at), at.offset)
    const now = performance.now()
    if (now - this.reported < 200) return
    this.reported = now
    this.onProgress?.(this.measure())
  }

  finish(): RebuildProgress {
    const last = this.measure()
    this.onProgress?.(last)
    return last
  }

  offsetOf(place: Place): number {
    return (
      this.latest.find(({ topic, partition }) => topic === place.topic && partition === place.partition)?.offset ?? 0
    )
  }

  private measure(): RebuildProgress {
    const seconds = Math.max(performance.now() - this.began, 1) / 1000
    const partitions = this.latest.map(({ topic, partition, offset, end }) => {
      const eventsPerSecond = (offset - (this.before.get(nameOf({ topic, partition })) ?? 0)) / seconds
      const left = Math.max(0, end - offset)
      return { topic, partition, offset, end, eventsPerSecond, secondsLeft: timeFor(left, eventsPerSecond) }
    })
    const sum = (value: (one: PartitionProgress) => number) => partitions.reduce((all, one) => all + value(one), 0)
    const [events, eventsPerSecond] = [sum(({ offset }) => offset), sum((one) => one.eventsPerSecond)]
    const total = sum(({ offset, end }) => Math.max(offset, end))
    const secondsLeft = timeFor(total - events, eventsPerSecond)
    return { projection: this.projection, events, total, eventsPerSecond, secondsLeft, partitions }
  }
}

function timeFor(left: number, eventsPerSecond: number): number | undefined {
  if (left === 0) return 0
  return eventsPerSecond > 0 ? left / eventsPerSecond : undefined
}

function nameOf({ topic, partition }: Place): string {
  return `${topic}/${partition}`
}
