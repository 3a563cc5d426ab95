// Which faults are set at the moment.
import { type AppendOptions, NarrativeError } from '@narrative/core'
import { Gate } from './gate.js'

/** What happens to one append. */
export type Hit = 'conflict' | 'written' | 'not-written'

export class SetFaults {
  /** Of the appends to come, one each. */
  readonly next: Hit[] = []
  readonly gates = { appends: new Gate(), events: new Gate() }
  /** Shut while the store is away. */
  readonly back = new Gate()
  readonly reason = 'The store was cut off by the test.'
  away = false

  /** The fault that is this append's, if one is. */
  take({ expectedVersion }: AppendOptions): Hit | undefined {
    // What expects no version cannot conflict.
    const at = this.next.findIndex((hit) => hit !== 'conflict' || expectedVersion !== 'any')
    return at < 0 ? undefined : this.next.splice(at, 1)[0]
  }

  cutOff(): void {
    this.away = true
    void this.back.shut()
  }

  heal(): void {
    this.away = false
    this.next.length = 0
    for (const gate of [this.gates.appends, this.gates.events, this.back]) gate.open()
  }

  /** @throws NarrativeError `BROKER_UNREACHABLE` while the store is cut off */
  mustAnswer(what: string): void {
    if (!this.away) return
    throw new NarrativeError('BROKER_UNREACHABLE', {
      message: `Could not ${what}: ${this.reason} Nothing was written.`,
      details: { what },
    })
  }

  static outcomeUnknown(streamId: string, commandId: string) {
    return new NarrativeError('OUTCOME_UNKNOWN', {
      message: `The answer to an append to ${streamId} was lost by the test. Repeat it with the same command id (${commandId}): it will act once.`,
      details: { streamId, commandId },
    })
  }
}
