// The read side of the embedded store: frames of the log file as batches, and a bell for who waits for more.
import {
  type EventBatch,
  NarrativeError,
  type Position,
  type RecordedEvent,
  type SubscribeOptions,
} from '@narrative/core'
import type { LocalPartition } from './local-partition.js'
import { decodeRecord } from './record-codec.js'

/** Events per batch: enough that a batch's own cost vanishes, few enough to stop between two of them. */
const batchSize = 1000

/** Wakes whoever waits. */
export class Bell {
  #waiting: (() => void)[] = []

  readonly ring = (): void => {
    for (const wake of this.#waiting.splice(0)) wake()
  }

  rung(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve))
  }
}

interface Cursor {
  readonly store: LocalPartition
  offset: number
  /** Where in the file that is, once it is known. */
  place: number | undefined
}

/** Reads partitions from where `from` says, for ever. */
export async function* follow(
  stores: readonly LocalPartition[],
  starts: readonly number[],
  options: SubscribeOptions,
  bell: Bell,
  closed: AbortSignal,
): AsyncGenerator<EventBatch, void> {
  const cursors = stores.map((store, index): Cursor => ({ store, offset: starts[index]!, place: undefined }))
  const ended = () => {
    closed.throwIfAborted()
    return options.signal?.aborted === true
  }
  options.signal?.addEventListener('abort', bell.ring)
  closed.addEventListener('abort', bell.ring)
  try {
    if (options.from === 'end') for (const cursor of cursors) yield emptyBatch(cursor)
    while (!ended()) {
      let idle = true
      for (const cursor of cursors) {
        const batch = nextBatch(cursor)
        if (batch === undefined) continue
        idle = false
        yield batch
        if (ended()) return
      }
      // Nothing was awaited since the partitions were looked at, so no append can have slipped in between.
      if (idle) await bell.rung()
    }
  } finally {
    options.signal?.removeEventListener('abort', bell.ring)
    closed.removeEventListener('abort', bell.ring)
  }
}

/** Where a subscription begins in a partition. */
export function firstOffset(store: LocalPartition, from: SubscribeOptions['from']): number {
  const { topic, partition, point } = store
  if (from === 'start') return 0
  if (from === 'end') return point.offset
  const isHere = (checkpoint: Position) => checkpoint.topic === topic && checkpoint.partition === partition
  const offset = from.find(isHere)?.offset ?? 0
  if (offset >= 0 && offset <= point.offset) return offset
  throw new NarrativeError('LOG_TRUNCATED', {
    message: `A checkpoint stands at ${topic}/${partition}@${offset}, but that partition holds offsets 0 to ${point.offset}: it belongs to another log. Remove the checkpoints together with the directory they belong to.`,
    details: { topic, partition, offset, start: 0, end: point.offset },
  })
}

/** Says where a reader from the end begins. */
function emptyBatch({ store: { topic, partition, point }, offset }: Cursor): EventBatch {
  return { topic, partition, events: [], checkpoint: { topic, partition, offset, claim: null }, end: point.offset }
}

function nextBatch(cursor: Cursor): EventBatch | undefined {
  const { store, offset } = cursor
  const { topic, partition } = store
  const end = store.point.offset
  if (offset >= end) return undefined
  const events: RecordedEvent[] = []
  for (const { place, length, records } of store.frames(offset, cursor.place)) {
    cursor.place = place + length
    for (const bytes of records) {
      const event = decodeRecord(bytes, topic, partition)
      if (event.position.offset >= offset) events.push(event)
    }
    if (events.length >= batchSize) break
  }
  cursor.offset = events.at(-1)!.position.offset + 1
  return { topic, partition, events, checkpoint: { topic, partition, offset: cursor.offset, claim: null }, end }
}
