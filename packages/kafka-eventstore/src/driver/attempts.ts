// Repeats what is safe to repeat, until it works, is refused for good, or takes too long.
import { isPassing } from './broker-failure.js'

const firstPause = 20
const longestPause = 250

/** Bounds of the repetition. */
export interface AttemptBounds {
  /** Milliseconds after which a passing failure is final. */
  readonly within: number
  /** Any of them ends it at once. */
  readonly signals: readonly AbortSignal[]
  /** Before the next attempt, such as to forget what may be stale. */
  readonly onPassing?: () => void
}

/**
 * Runs `attempt` again after every failure that may pass.
 *
 * @throws what the last attempt threw; the reason of the signal that ended it
 */
export async function repeatUntil<T>(bounds: AttemptBounds, attempt: () => Promise<T>): Promise<T> {
  const { onPassing, signals, within } = bounds
  const deadline = performance.now() + within
  for (let pause = firstPause; ; pause = Math.min(pause * 2, longestPause)) {
    for (const signal of signals) signal.throwIfAborted()
    try {
      return await orAborted(attempt(), signals)
    } catch (error) {
      if (!isPassing(error) || performance.now() + pause > deadline) throw error
    }
    onPassing?.()
    await sleep(pause, signals)
  }
}

/** Settles like `promise`, but at once with a signal's reason when that is aborted first. */
export function orAborted<T>(promise: Promise<T>, signals: readonly AbortSignal[]): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (event: Event) => reject((event.target as AbortSignal).reason)
    for (const signal of signals) {
      if (signal.aborted) reject(signal.reason)
      else signal.addEventListener('abort', onAbort, { once: true })
    }
    const settle = () => {
      for (const signal of signals) signal.removeEventListener('abort', onAbort)
    }
    promise.then(resolve, reject).finally(settle)
  })
}

async function sleep(milliseconds: number, signals: readonly AbortSignal[]): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const passed = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds)
  })
  await orAborted(passed, signals).finally(() => clearTimeout(timer))
}

/**
 * Asks the candidates one after another, the next one also when the last has been silent for `patience`
 * milliseconds: a broker whose machine vanished answers nothing, not even a refusal.
 *
 * @returns the first answer
 * @throws AggregateError with every failure, in the order of the candidates
 */
export function firstAnswer<C, T>(candidates: readonly C[], patience: number, ask: (c: C) => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const failures: unknown[] = []
    let timer: NodeJS.Timeout | undefined
    let failed = 0
    let next = 0
    const askNext = (): void => {
      clearTimeout(timer)
      const index = next++
      if (index >= candidates.length) return
      timer = setTimeout(askNext, patience)
      ask(candidates[index]!).then(
        (answer) => {
          clearTimeout(timer)
          next = candidates.length
          resolve(answer)
        },
        (failure) => {
          failures[index] = failure
          if (++failed === candidates.length) {
            clearTimeout(timer)
            reject(new AggregateError(failures))
          } else if (next === index + 1) askNext()
        },
      )
    }
    askNext()
  })
}
