// The log as it is now: every event from the start to the present end of each partition, and then an end.
import type { EventLog, RecordedEvent } from '@narrative/core'
import { counted, number } from '../terminal/counted.js'
import type { Output } from '../terminal/output.js'

/** What to read, and whom to tell. */
export interface PresentLogOptions {
  readonly eventLog: EventLog
  readonly categories: readonly string[]
  readonly output: Output
  readonly signal: AbortSignal
}

/** Batches of events, in order within each partition. What is appended meanwhile is left out. */
export async function* presentLog(options: PresentLogOptions): AsyncGenerator<readonly RecordedEvent[], void> {
  const { eventLog, categories, output, signal } = options
  const partitions = (await Promise.all(categories.map((category) => eventLog.partitions(category)))).flat()
  const total = partitions.reduce((sum, { start, end }) => sum + end - start, 0)
  const ends = new Map(partitions.map(({ topic, partition, end }) => [`${topic}/${partition}`, end]))
  const unread = new Set(
    partitions.filter(({ start, end }) => end > start).map((each) => `${each.topic}/${each.partition}`),
  )
  if (unread.size === 0) return
  const offsets = new Map<string, number>()
  let shown = performance.now()
  for await (const { topic, partition, events, checkpoint } of eventLog.subscribe({
    categories,
    from: 'start',
    signal,
  })) {
    const place = `${topic}/${partition}`
    const end = ends.get(place) ?? 0
    yield checkpoint.offset <= end ? events : events.filter(({ position }) => position.offset < end)
    offsets.set(place, Math.min(checkpoint.offset, end))
    if (checkpoint.offset >= end) unread.delete(place)
    if (unread.size === 0) return
    if (performance.now() - shown < 200) continue
    shown = performance.now()
    const read = [...offsets.values()].reduce((sum, offset) => sum + offset, 0)
    output.progress(`Reading the log: ${number(read)} of ${counted(total, 'record')}`)
  }
}
