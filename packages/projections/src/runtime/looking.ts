// Looks at what others store, again and again: nothing tells when it has changed.
import { setTimeout as delay } from 'node:timers/promises'

/** How often: when somebody waits for it, and when nobody does. Milliseconds. */
const every = { urgently: 25, usually: 1000 }

export interface Looking {
  /** Ends it. */
  readonly signal: AbortSignal
  isUrgent(): boolean
  /** A look that fails says nothing; the next one may succeed. */
  look(): Promise<void>
}

/** Never rejects. */
export async function keepLooking({ signal, isUrgent, look }: Looking): Promise<void> {
  for (let waited = 0; !signal.aborted; waited += every.urgently) {
    // An end cuts the pause short; the loop then sees it.
    await delay(every.urgently, undefined, { signal }).catch(() => {})
    if (signal.aborted || !(isUrgent() || waited >= every.usually)) continue
    waited = 0
    await look().catch(() => {})
  }
}
