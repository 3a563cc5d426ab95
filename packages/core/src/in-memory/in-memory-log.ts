// What stands in for the broker: topics of partitions, and a bell for whoever waits for more.
import { NarrativeError } from '../errors/narrative-error.js'
import type { EventBatch, SubscribeOptions } from '../event-store/event-log.js'
import type { Position } from '../messages/position.js'
import { categoryOf, type StreamId } from '../messages/stream-id.js'
import { InMemoryPartition } from './in-memory-partition.js'
import { partitionOf } from './partition-of.js'

/** Events per batch: large enough that the batch's own cost vanishes, small enough to stop between two of them. */
const batchSize = 1000

/** Outlives every opening of the storage, as a broker outlives its clients. */
export class InMemoryLog {
  private readonly topics = new Map<string, readonly InMemoryPartition[]>()
  private waiting: (() => void)[] = []

  constructor(
    private readonly context: string,
    private readonly partitionCount: number,
  ) {}

  /** An opener of the storage takes over every partition there is. */
  claim(categories: readonly string[], owner: string): void {
    for (const partition of this.all()) partition.claim(owner)
    for (const category of categories) this.partitions(category, owner)
  }

  /** Every partition there is. */
  all(): readonly InMemoryPartition[] {
    return [...this.topics.values()].flat()
  }

  /** The partitions of a category; a topic that does not exist yet is created and claimed. */
  partitions(category: string, owner: string): readonly InMemoryPartition[] {
    const existing = this.topics.get(category)
    if (existing !== undefined) return existing
    const topic = `${this.context}.${category}.events`
    const created = Array.from({ length: this.partitionCount }, (_, number) => new InMemoryPartition(topic, number))
    for (const partition of created) partition.claim(owner)
    this.topics.set(category, created)
    return created
  }

  partition(streamId: StreamId, owner: string): InMemoryPartition {
    return this.partitions(categoryOf(streamId), owner)[partitionOf(streamId, this.partitionCount)]!
  }

  /** Wakes every subscriber that waits. */
  ring(): void {
    if (this.waiting.length === 0) return
    const woken = this.waiting
    this.waiting = []
    for (const wake of woken) wake()
  }

  /** A subscriber pulls: nothing is read before it asks for the next batch, and each has its own offsets. */
  async *subscribe(options: SubscribeOptions, owner: string, closed: AbortSignal): AsyncGenerator<EventBatch, void> {
    const cursors = this.cursors(options, owner)
    const ring = () => this.ring()
    const ended = () => {
      closed.throwIfAborted()
      return options.signal?.aborted === true
    }
    options.signal?.addEventListener('abort', ring)
    closed.addEventListener('abort', ring)
    try {
      if (options.from === 'end') for (const { partition, offset } of cursors) yield partition.emptyBatch(offset)
      while (!ended()) {
        let idle = true
        for (const cursor of cursors) {
          const batch = cursor.partition.batch(cursor.offset, batchSize)
          if (batch === undefined) continue
          idle = false
          cursor.offset = batch.checkpoint.offset
          yield batch
          if (ended()) return
        }
        // Nothing was awaited since the partitions were looked at, so no append can have slipped in between.
        if (idle) await this.rung()
      }
    } finally {
      options.signal?.removeEventListener('abort', ring)
      closed.removeEventListener('abort', ring)
    }
  }

  private rung(): Promise<void> {
    return new Promise((resolve) => this.waiting.push(resolve))
  }

  private cursors(options: SubscribeOptions, owner: string) {
    const wanted = options.categories
      .flatMap((category) => this.partitions(category, owner))
      .filter(({ partition }) => options.partitions?.includes(partition) ?? true)
    return wanted.map((partition) => ({ partition, offset: firstOffset(partition, options.from) }))
  }
}

function firstOffset(partition: InMemoryPartition, from: SubscribeOptions['from']): number {
  if (from === 'start') return 0
  if (from === 'end') return partition.end
  const isHere = (point: Position) => point.topic === partition.topic && point.partition === partition.partition
  const offset = from.find(isHere)?.offset ?? 0
  if (offset >= 0 && offset <= partition.end) return offset
  throw new NarrativeError('LOG_TRUNCATED', {
    message: `A checkpoint stands at ${partition.topic}/${partition.partition}@${offset}, but that partition holds offsets 0 to ${partition.end}: it belongs to another log. An in-memory log is empty after a restart; so must be the checkpoints kept for it.`,
    details: { topic: partition.topic, partition: partition.partition, offset, start: 0, end: partition.end },
  })
}
