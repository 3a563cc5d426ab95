// A query that stays open: the answer, and a new one whenever the read model has changed it.
import { setTimeout as delay } from 'node:timers/promises'
import { serialize } from 'node:v8'
import { NarrativeError } from '../errors/narrative-error.js'

/** Whoever wants to know that a read model has moved. */
export interface ReadModelWatcher {
  /** It contains more events than before. */
  moved(): void
  /** It will move no more. */
  stopped(error: unknown): void
}

/** Begins to watch read models; the function returned ends it. */
export type WatchReadModels = (watcher: ReadModelWatcher) => () => void

/** What to ask, when again, and until when. */
export interface LiveQuestion<T> {
  readonly name: string
  ask(): Promise<T>
  readonly watch: WatchReadModels
  /** Milliseconds between two questions. */
  readonly interval: number
  readonly signal: AbortSignal | undefined
}

/** What moved while somebody asked is asked about again, so the last answer always contains the last change. */
export async function* liveAnswers<T>({ name, ask, watch, interval, signal }: LiveQuestion<T>): AsyncGenerator<T> {
  let moved = true
  let failure: { readonly error: unknown } | undefined
  let wake = () => {}
  const unwatch = watch({
    moved() {
      moved = true
      wake()
    },
    stopped(error) {
      failure ??= { error }
      wake()
    },
  })
  const ended = () => wake()
  signal?.addEventListener('abort', ended)
  let last: Buffer | undefined
  try {
    while (signal?.aborted !== true) {
      if (moved) {
        moved = false
        const answer = await ask()
        const bytes = bytesOf(name, answer)
        if (last === undefined || !bytes.equals(last)) {
          last = bytes
          yield answer
        }
        // An abort ends the pause early; the loop then sees it.
        await delay(interval, undefined, signal && { signal }).catch(() => {})
      } else if (failure !== undefined) {
        throw failure.error
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    }
  } finally {
    signal?.removeEventListener('abort', ended)
    unwatch()
  }
}

/** Answers are compared by their bytes: a view in memory may answer with the very object that it goes on changing. */
function bytesOf(name: string, answer: unknown): Buffer {
  try {
    return serialize(answer)
  } catch (cause) {
    throw new NarrativeError('ANSWER_NOT_DATA', {
      message: `The answer to ${name} cannot be compared with the one before, because it is not all data (${(cause as Error).message}). Let the query handler return plain data.`,
      details: { query: name },
      cause,
    })
  }
}
