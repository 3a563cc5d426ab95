// Reads one partition in order, folded, with the next fetch under way while the last one is being handled.
import type { UnreadableRecord } from '@narrative/core'
import type { FetchResult, KafkaDriver } from './driver/kafka-driver.js'
import { type Folded, fold, type LogPoint } from './fold.js'

/** What to read. */
export interface LogReaderOptions {
  readonly driver: KafkaDriver
  readonly topic: string
  readonly partition: number
  readonly from: LogPoint
  /** How much to ask for at once. */
  readonly maxBytes: number
  /** How long the broker may hold a fetch when there is nothing new, milliseconds. */
  readonly maxWait: number
  readonly signal?: AbortSignal
  /** Gives records that cannot be read instead of failing at them. */
  readonly givesUnreadable?: boolean
}

/** A run of records after the fold, and how far the partition went at that time. */
export interface FoldedFetch extends Folded {
  readonly end: number
  readonly unreadable: readonly UnreadableRecord[]
}

/** Never ends by itself. Answers without news are passed on as well: the reader may be waiting for the end to move. */
export class LogReader {
  readonly #options: LogReaderOptions
  #point: LogPoint
  #ahead: Promise<FetchResult> | undefined

  constructor(options: LogReaderOptions) {
    this.#options = options
    this.#point = options.from
  }

  get point(): LogPoint {
    return this.#point
  }

  /** @throws NarrativeError `LOG_CORRUPT`, `LOG_TRUNCATED`, and the driver's; after an error it can be called again */
  async next(): Promise<FoldedFetch> {
    const { topic, partition, givesUnreadable = false } = this.#options
    const fetching = this.#ahead ?? this.#fetch(this.#point.offset)
    this.#ahead = undefined
    const { records, nextOffset, highWatermark } = await fetching
    if (nextOffset < highWatermark) {
      this.#ahead = this.#fetch(nextOffset)
      this.#ahead.catch(() => {}) // looked at by the next call; here it only must not count as unhandled
    }
    const unreadable: UnreadableRecord[] = []
    const folded = fold(topic, partition, this.#point, records, givesUnreadable ? unreadable : undefined)
    this.#point = folded.point
    return { ...folded, unreadable, end: highWatermark }
  }

  #fetch(offset: number): Promise<FetchResult> {
    const { driver, topic, partition, maxBytes, maxWait, signal } = this.#options
    return driver.fetch({ topic, partition, offset, maxBytes, maxWait, signal })
  }
}
