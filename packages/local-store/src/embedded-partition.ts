// Appends to one partition, in groups: while one is being written and synced, the next one fills.
import {
  type AppendOptions,
  type AppendResult,
  type Clock,
  NarrativeError,
  type NewEvent,
  type PartitionStatus,
  type RecordedEvent,
} from '@narrative/core'
import type { LocalPartition } from './local-partition.js'

interface Waiting {
  readonly streamId: string
  readonly events: readonly NewEvent[]
  readonly options: AppendOptions
  resolve(result: AppendResult): void
  reject(error: unknown): void
}

/** Bounds of a group, so that one write does not make its callers wait for long. */
const groupLimit = 2_000
const queueLimit = 10_000

export class EmbeddedPartition {
  readonly store: LocalPartition
  readonly #clock: () => Clock
  readonly #appended: () => void
  #waiting: Waiting[] = []
  #working: Promise<void> | undefined

  /** @param appended called when there are more events to read */
  constructor(store: LocalPartition, clock: () => Clock, appended: () => void) {
    this.store = store
    this.#clock = clock
    this.#appended = appended
  }

  /** @throws NarrativeError `STORE_BUSY`, `DISK_FAILED`, `OUTCOME_UNKNOWN` */
  append(streamId: string, events: readonly NewEvent[], options: AppendOptions): Promise<AppendResult> {
    checkTexts(events, options)
    if (this.#waiting.length >= queueLimit) {
      throw new NarrativeError('STORE_BUSY', {
        message: `${queueLimit} appends already wait for ${this.store.topic}/${this.store.partition}: send fewer at a time, or repeat this one later.`,
        details: { streamId },
      })
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ streamId, events, options, resolve, reject })
      this.#working ??= this.#work().finally(() => {
        this.#working = undefined
      })
    })
  }

  status(state: PartitionStatus['state']): PartitionStatus {
    const { topic, partition, point, failure } = this.store
    const here = { topic, partition, offset: point.offset, lag: 0, voids: 0, waiting: this.#waiting.length }
    return failure === undefined ? { ...here, state } : { ...here, state: 'lost', reason: failure.message }
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    await this.#working
  }

  async #work(): Promise<void> {
    while (this.#waiting.length > 0) {
      // One turn of the event loop: callers just answered come back, and all of them join the same group.
      await new Promise<void>((resolve) => setImmediate(resolve))
      const group = this.#group()
      if (group.length > 0) await this.#write(group)
    }
  }

  /** Those that may be written together; the others are answered, or left for the next group. */
  #group(): Waiting[] {
    const group: Waiting[] = []
    const left: Waiting[] = []
    const busy = new Set<string>()
    for (const append of this.#waiting) {
      // Only what is on the disk decides an answer: a second append to a stream waits for the first one.
      if (busy.has(append.streamId) || group.length >= groupLimit) {
        left.push(append)
        continue
      }
      const answer = this.#answer(append)
      if (answer === undefined) {
        group.push(append)
        busy.add(append.streamId)
      }
    }
    this.#waiting = left
    return group
  }

  /** Settles what needs no writing. */
  #answer({ streamId, options, resolve, reject }: Waiting): AppendResult | Error | undefined {
    try {
      const version = this.store.version(streamId)
      const known = version === 0 ? undefined : this.store.findCommand(streamId, options.metadata.commandId)
      const { expectedVersion } = options
      const answer: AppendResult | undefined =
        known ??
        (expectedVersion === 'any' || expectedVersion === version
          ? undefined
          : { outcome: 'conflict', actualVersion: version })
      if (answer !== undefined) resolve(answer)
      return answer
    } catch (error) {
      reject(error)
      return error as Error
    }
  }

  async #write(group: readonly Waiting[]): Promise<void> {
    const { topic, partition, point, lastTime } = this.store
    const time = Math.max(this.#clock().now(), lastTime)
    const recorded: RecordedEvent[] = []
    const answers = group.map(({ streamId, events, options }): AppendResult => {
      const firstVersion = this.store.version(streamId) + 1
      const { commandId, correlationId, causationId, traceparent } = options.metadata
      const metadata = { commandId, correlationId, causationId, traceparent }
      events.forEach(({ id, type, schemaVersion, contentType, data }, index) => {
        const position = { topic, partition, offset: point.offset + recorded.length }
        const version = firstVersion + index
        recorded.push({ id, type, schemaVersion, contentType, data, streamId, version, position, time, metadata })
      })
      const { version, position } = recorded.at(-1)!
      return { outcome: 'appended', firstVersion, version, position, duplicate: false }
    })
    try {
      await this.store.append(recorded, { offset: point.offset + recorded.length, claim: null })
    } catch (error) {
      for (const { reject } of group) reject(error)
      return
    }
    group.forEach(({ resolve }, index) => {
      resolve(answers[index]!)
    })
    this.#appended()
  }
}

/** Before it joins a group: none may fail for its neighbour's texts. */
function checkTexts(events: readonly NewEvent[], { metadata }: AppendOptions): void {
  const { commandId, correlationId, causationId, traceparent = '' } = metadata
  const texts = [commandId, correlationId, causationId, traceparent]
  for (const { id, type, contentType } of events) texts.push(id, type, contentType)
  if (texts.every((text) => text.length <= longestText)) return
  throw new NarrativeError('APPEND_TOO_LARGE', {
    message: `An id, an event name or a media type is longer than ${longestText} characters; put large contents into the data of an event.`,
  })
}

const longestText = 20_000
