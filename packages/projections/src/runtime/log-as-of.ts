// The log as it was at some moment: the same partitions, as if nothing had been appended since.
import {
  type EventBatch,
  type EventLog,
  formatPosition,
  NarrativeError,
  type Position,
  parsePosition,
  type RecordedEvent,
} from '@narrative/core'

/** An instant (a Date, or milliseconds since 1970 UTC), or an event's position: right after that event. */
export type Moment = { readonly asOf: Date | number } | { readonly position: Position | string }

/**
 * At an instant: every event that has its time or an earlier one. At a position: the events of its partition up to and including
 * it, and those of the other partitions that are not later, for partitions have no other order among them.
 *
 * @throws NarrativeError `POSITION_INVALID` when no event is at the position
 */
export async function logAsOf(eventLog: EventLog, categories: readonly string[], moment: Moment): Promise<EventLog> {
  if ('asOf' in moment) {
    const instant = Number(moment.asOf)
    return endingWhere(eventLog, (event) => event.time > instant)
  }
  const position = typeof moment.position === 'string' ? parsePosition(moment.position) : moment.position
  const { time } = await eventAt(eventLog, categories, position)
  const isThere = ({ topic, partition }: Position) => topic === position.topic && partition === position.partition
  return endingWhere(eventLog, (event) =>
    isThere(event.position) ? event.position.offset > position.offset : event.time > time,
  )
}

/** Times never decrease within a partition, so its first event that is later ends it. */
function endingWhere(eventLog: EventLog, isLater: (event: RecordedEvent) => boolean): EventLog {
  return {
    partitions: (category) => eventLog.partitions(category),
    async *subscribe(options) {
      const over = new Set<string>()
      for await (const batch of eventLog.subscribe(options)) {
        const place = `${batch.topic}/${batch.partition}`
        if (over.has(place)) continue
        const end = batch.events.findIndex(isLater)
        if (end === -1) yield batch
        else {
          over.add(place)
          yield lastBatch(batch, end)
        }
      }
    },
  }
}

/** Its checkpoint stands at the end of the partition: there is nothing more to wait for. */
function lastBatch(batch: EventBatch, end: number): EventBatch {
  const checkpoint = { ...batch.checkpoint, offset: batch.end }
  const after = batch.events[end]!.position.offset
  const unreadable = batch.unreadable?.filter(({ position }) => position.offset < after) ?? []
  return { ...batch, events: batch.events.slice(0, end), unreadable, checkpoint }
}

async function eventAt(eventLog: EventLog, categories: readonly string[], position: Position): Promise<RecordedEvent> {
  const { topic, partition, offset } = position
  const ends = (await Promise.all(categories.map((category) => eventLog.partitions(category)))).flat()
  if (ends.some((one) => one.topic === topic && one.partition === partition && one.end > offset)) {
    for await (const batch of eventLog.subscribe({
      categories,
      partitions: [partition],
      from: 'start',
      unreadable: 'give',
    })) {
      if (batch.topic !== topic) continue
      const event = batch.events.find((candidate) => candidate.position.offset === offset)
      if (event !== undefined) return event
      if (batch.checkpoint.offset > offset) break
    }
  }
  throw new NarrativeError('POSITION_INVALID', {
    message: `There is no event at ${formatPosition(position)} in what this projection follows (${categories.join(', ')}).`,
    details: { position },
  })
}
