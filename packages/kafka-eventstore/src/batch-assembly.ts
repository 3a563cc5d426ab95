// What goes into the next batch: version checks first, so that everything in a batch may be appended.
import type { ProducerRecord } from './driver/kafka-driver.js'
import { tooLarge } from './owner-errors.js'
import type { PendingAppend } from './pending-append.js'
import { encodeAppend, recordSize } from './record-codec.js'
import type { Replica } from './replica/replica.js'

/** Bounds of one batch. */
export interface BatchLimits {
  readonly maxRecords: number
  /** What the topic takes at most. */
  readonly maxBytes: number
}

/** A batch that has not been sent yet. */
export interface DraftBatch {
  readonly appends: readonly DraftAppend[]
  readonly records: readonly ProducerRecord[]
  /** Time of its events, milliseconds. */
  readonly time: number
}

/** An append with the place it will have when the batch is acknowledged. */
export interface DraftAppend {
  readonly append: PendingAppend
  readonly firstVersion: number
}

/** What a batch takes besides its records. */
const batchOverhead = 256

/**
 * Fills a batch in the order of arrival. Each append is checked against the replica, plus what this batch already holds:
 *
 * - its command is known: answered with what that command did
 * - another version is expected than the stream has: answered as a conflict
 * - it would be in order if it were not for an append in this very batch (same stream, or same command): it is left for
 *   the next batch, because only what is acknowledged may decide an answer
 */
export function assembleBatch(
  waiting: readonly PendingAppend[],
  replica: Replica,
  claim: string,
  source: string,
  time: number,
  limits: BatchLimits,
): { readonly batch: DraftBatch | undefined; readonly left: PendingAppend[] } {
  const appends: DraftAppend[] = []
  const records: ProducerRecord[] = []
  const left: PendingAppend[] = []
  const ahead = new Map<string, number>() // versions of streams as this batch will leave them
  const commands = new Set<string>()
  const timeText = new Date(time).toISOString()
  let bytes = batchOverhead
  let at = 0
  for (; at < waiting.length; at++) {
    const append = waiting[at]!
    const { streamId, commandId, options, events } = append
    const stored = replica.version(streamId)
    const known = stored === 0 ? undefined : replica.findCommand(streamId, commandId)
    if (known !== undefined) {
      append.resolve(known)
      continue
    }
    const version = ahead.get(streamId)
    if (commands.has(commandId) && holdsCommand(appends, append)) {
      left.push(append)
      continue
    }
    const expected = options.expectedVersion
    if (expected !== 'any' && expected !== (version ?? stored)) {
      if (version !== undefined && expected === stored) left.push(append)
      else append.resolve({ outcome: 'conflict', actualVersion: stored })
      continue
    }
    if (append.alone && appends.length > 0) break
    const firstVersion = (version ?? stored) + 1
    const place = { streamId, key: append.key, source, firstVersion, claim, time: timeText, metadata: options.metadata }
    const encoded = encodeAppend(events, place)
    const size = encoded.reduce((sum, record) => sum + recordSize(record), 0)
    if (size + batchOverhead > limits.maxBytes) {
      append.reject(tooLarge(append, size + batchOverhead, limits.maxBytes))
      continue
    }
    if (appends.length > 0 && (bytes + size > limits.maxBytes || records.length + encoded.length > limits.maxRecords)) {
      break
    }
    bytes += size
    for (const record of encoded) records.push(record)
    appends.push({ append, firstVersion })
    commands.add(commandId)
    ahead.set(streamId, firstVersion + events.length - 1)
    if (append.alone) {
      at++
      break
    }
  }
  for (; at < waiting.length; at++) left.push(waiting[at]!)
  return { batch: appends.length === 0 ? undefined : { appends, records, time }, left }
}

function holdsCommand(appends: readonly DraftAppend[], { streamId, commandId }: PendingAppend): boolean {
  return appends.some(({ append }) => append.commandId === commandId && append.streamId === streamId)
}
