// Brings a replica up to an offset of its partition, and says so when that takes long.
import type { Logger } from '@narrative/core'
import type { KafkaDriver } from './driver/kafka-driver.js'
import { LogReader } from './log-reader.js'
import type { Replica } from './replica/replica.js'

/** Where and for whom. */
export interface CatchUpOptions {
  readonly driver: KafkaDriver
  readonly topic: string
  readonly partition: number
  readonly replica: Replica
  readonly logger: Logger
  /** Told after each fetch where the log ended. */
  readonly onEnd?: (end: number) => void
  /** Told of events that do not count. */
  readonly onVoid: (offsets: readonly number[]) => void
  readonly signal?: AbortSignal
}

const quiet = 2_000

/**
 * Reads until the replica has reached `offset`; it may go beyond it, never past the end of the log. Towards an infinite
 * one it reads whatever comes, until the signal aborts.
 * @throws NarrativeError `LOG_CORRUPT`, `LOG_TRUNCATED`, and the driver's
 */
export async function catchUp(options: CatchUpOptions, offset: number): Promise<void> {
  const { driver, topic, partition, replica, logger, onEnd, onVoid, signal } = options
  const reader = new LogReader({ driver, topic, partition, from: replica.point, maxBytes, maxWait: 500, signal })
  const from = replica.point.offset
  const began = performance.now()
  let reported = began
  while (replica.point.offset < offset) {
    signal?.throwIfAborted()
    const { events, voids, point, end } = await reader.next()
    const refused = replica.apply(events, point)
    await replica.room
    onEnd?.(end)
    if (voids.length + refused.length > 0) onVoid([...voids, ...refused.map((event) => event.position.offset)])
    const now = performance.now()
    if (now - reported < quiet || point.offset === end) continue
    reported = now
    const rate = Math.round((point.offset - from) / ((now - began) / 1000))
    logger.info(
      { topic, partition, offset: point.offset, end, rate },
      `${topic}/${partition}: read ${point.offset} of ${end} records (${rate}/s)`,
    )
  }
}

const maxBytes = 4 * 1024 * 1024
