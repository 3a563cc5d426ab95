// Everything the rules look at, indexed once.
import type { AppendOperation, Operation, ReadOperation } from './history.js'
import { type FoldedLog, foldLog, type LogEvent, type LogRecord } from './log.js'

/** What a replica or a projection holds at the end. */
export interface Dump {
  readonly name: string
  /** The next offset it will read, by `topic/partition`. */
  readonly offsets: Readonly<Record<string, number>>
  /** The ids of the events of each stream, in version order. */
  readonly streams: Readonly<Record<string, readonly string[]>>
}

/** What is judged. */
export interface Case {
  readonly operations: readonly Operation[]
  /** The whole log, each partition in order. */
  readonly log: readonly LogRecord[]
  readonly dumps?: readonly Dump[]
  /** Whether the broker keeps its fence: then an event under an old claim is a violation, not only void. Default true. */
  readonly fenced?: boolean
  /** When the last fault was over, and the partitions (`topic/partition`) that must take writes after it. */
  readonly healed?: { readonly at: number; readonly partitions: readonly string[] }
}

/** A case and its indexes. */
export class Evidence {
  readonly log: FoldedLog
  readonly appends: readonly AppendOperation[]
  readonly reads: readonly ReadOperation[]
  readonly byStream = new Map<string, LogEvent[]>()
  readonly byEventId = new Map<string, LogEvent[]>()
  readonly #byCommand = new Map<string, LogEvent[]>()

  constructor(readonly given: Case) {
    this.log = foldLog(given.log)
    this.appends = given.operations.filter((operation) => operation.kind === 'append')
    this.reads = given.operations.filter((operation) => operation.kind === 'read')
    for (const event of this.log.events) {
      push(this.byStream, event.streamId, event)
      push(this.byEventId, event.eventId, event)
      push(this.#byCommand, `${event.streamId} ${event.commandId}`, event)
    }
  }

  /** The events that an attempt itself brought into the log. */
  ownEvents({ eventIds }: AppendOperation): LogEvent[] {
    return eventIds.flatMap((id) => this.byEventId.get(id) ?? [])
  }

  /** What a command left in a stream, whichever attempt it was. */
  ofCommand(streamId: string, commandId: string): readonly LogEvent[] {
    return this.#byCommand.get(`${streamId} ${commandId}`) ?? []
  }

  commands(): Iterable<readonly LogEvent[]> {
    return this.#byCommand.values()
  }
}

export const place = ({ topic, partition, offset }: LogEvent) => `${topic}/${partition}@${offset}`

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key)
  if (list === undefined) map.set(key, [value])
  else list.push(value)
}
