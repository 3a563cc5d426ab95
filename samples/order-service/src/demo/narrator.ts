// Follows the log and tells every event as it is appended.
import { type EventLog, formatPosition } from '@narrative/core'
import { eventLine } from './event-line.js'

/** Prints the narrative, from now on. */
export class Narrator {
  private readonly stopping = new AbortController()
  private readonly told = new Set<string>()
  private readonly begun = new Set<number>()
  private wake: () => void = () => {}
  private readonly telling: Promise<void>
  /** Rejects when no more will be told: whoever waits then must not wait for ever. */
  private readonly ended: Promise<never>
  /** True: events pass untold. */
  quiet = false

  private constructor(eventLog: EventLog) {
    this.telling = this.tell(eventLog)
    this.ended = this.telling.then(() => Promise.reject(new Error('The demo was stopped.')))
    this.ended.catch(() => {}) // for those who wait
  }

  /** Resolves when nothing that is appended from now on will be missed. */
  static async of(eventLog: EventLog): Promise<Narrator> {
    const partitions = await eventLog.partitions('order')
    const narrator = new Narrator(eventLog)
    await narrator.until(() => narrator.begun.size === partitions.length)
    return narrator
  }

  /** Resolves when the event at a position was told. */
  async hasTold(position: string): Promise<void> {
    await this.until(() => this.told.has(position))
  }

  async stop(): Promise<void> {
    this.stopping.abort()
    await this.telling
  }

  private async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      const more = new Promise<void>((resolve) => {
        this.wake = resolve
      })
      await Promise.race([more, this.ended])
    }
  }

  private async tell(eventLog: EventLog): Promise<void> {
    const { signal } = this.stopping
    for await (const { partition, events } of eventLog.subscribe({ categories: ['order'], from: 'end', signal })) {
      this.begun.add(partition) // the first batch of each partition is empty and says where it begins
      for (const event of events) {
        this.told.add(formatPosition(event.position))
        if (!this.quiet) console.log(eventLine(event))
      }
      this.wake()
    }
  }
}
