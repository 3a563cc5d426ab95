// Follows the log and tells every event as it is appended.
import { type EventLog, formatPosition } from '@narrative/core'
import { eventLine } from './event-line.js'

/** Prints the narrative, from now on. */
export class Narrator {
  private readonly stopping = new AbortController()
  private readonly told = new Set<string>()
  private wake: () => void = () => {}
  private readonly telling: Promise<void>
  /** True: events pass untold. */
  quiet = false

  constructor(eventLog: EventLog) {
    this.telling = this.tell(eventLog)
    // Whoever waits for an event, or for the end, is told why there is none.
    this.telling.catch(() => {})
  }

  /** Resolves when the event at a position was told. */
  async until(position: string): Promise<void> {
    while (!this.told.has(position)) {
      const more = new Promise<void>((resolve) => {
        this.wake = resolve
      })
      await Promise.race([more, this.telling])
    }
  }

  async stop(): Promise<void> {
    this.stopping.abort()
    await this.telling
  }

  private async tell(eventLog: EventLog): Promise<void> {
    const { signal } = this.stopping
    for await (const { events } of eventLog.subscribe({ categories: ['order'], from: 'end', signal })) {
      for (const event of events) {
        this.told.add(formatPosition(event.position))
        if (!this.quiet) console.log(eventLine(event))
      }
      this.wake()
    }
  }
}
