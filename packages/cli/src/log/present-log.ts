// The log as it is now: every event up to the present end of each partition, and then an end.
import type { EventLog, RecordedEvent, SubscribeOptions } from '@narrative/core'
import { counted, number } from '../terminal/counted.js'
import type { Output } from '../terminal/output.js'

/** What to read, and whom to tell. */
export interface PresentLogOptions extends Omit<SubscribeOptions, 'from'> {
  readonly eventLog: EventLog
  /** Default the start. */
  readonly from?: Exclude<SubscribeOptions['from'], 'end'>
  readonly output: Output
}

/** Batches of events, in order within each partition. What is appended meanwhile is left out. */
export async function* presentLog(options: PresentLogOptions): AsyncGenerator<readonly RecordedEvent[], void> {
  const { eventLog, categories, output, from = 'start' } = options
  const unread = new Map<string, { offset: number; readonly end: number }>()
  for (const { topic, partition, end } of (
    await Promise.all(categories.map((each) => eventLog.partitions(each)))
  ).flat()) {
    const point =
      from === 'start' ? undefined : from.find((each) => each.topic === topic && each.partition === partition)
    const offset = point?.offset ?? 0
    if ((options.partitions?.includes(partition) ?? true) && offset < end)
      unread.set(`${topic}/${partition}`, { offset, end })
  }
  if (unread.size === 0) return
  const total = leftIn(unread.values())
  let shown = performance.now()
  for await (const { topic, partition, events, checkpoint } of eventLog.subscribe({ ...options, from })) {
    const place = unread.get(`${topic}/${partition}`)
    if (place === undefined) continue
    yield checkpoint.offset <= place.end ? events : events.filter(({ position }) => position.offset < place.end)
    place.offset = checkpoint.offset
    if (checkpoint.offset >= place.end) unread.delete(`${topic}/${partition}`)
    if (unread.size === 0) return
    if (performance.now() - shown < 200) continue
    shown = performance.now()
    const read = total - leftIn(unread.values())
    output.progress(`Reading the log: ${number(read)} of ${counted(total, 'record')}`)
  }
}

function leftIn(places: Iterable<{ readonly offset: number; readonly end: number }>): number {
  let left = 0
  for (const { offset, end } of places) left += end - offset
  return left
}
