// Waiting by the clock of the application: real time, unless a test moves its hands.
import { setTimeout as delay } from 'node:timers/promises'
import type { Clock } from '@narrative/core'

/** Resolves when so many milliseconds have passed; rejects with an `AbortError` when the signal aborts before. */
export async function passed(clock: Clock, milliseconds: number, signal: AbortSignal): Promise<void> {
  const over = clock.timeout?.(milliseconds)
  if (over === undefined) return await delay(milliseconds, undefined, { signal })
  const either = AbortSignal.any([over, signal])
  if (!either.aborted) await new Promise((resolve) => either.addEventListener('abort', resolve, { once: true }))
  // The same error as of a pause in real time.
  if (signal.aborted) await delay(0, undefined, { signal })
}
