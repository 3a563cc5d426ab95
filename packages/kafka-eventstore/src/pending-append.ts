// One caller's append on its way: settled once, whatever happens to the batch it flew in.
import type { AppendOptions, AppendResult, NewEvent } from '@narrative/core'

export class PendingAppend {
  readonly answer: Promise<AppendResult>
  /** When its caller stops waiting, on the monotonic clock. */
  readonly deadline: number
  /** It gets a batch of its own: it was in one that the broker found too large or refused. */
  alone = false
  settled = false
  #resolve!: (result: AppendResult) => void
  #reject!: (error: unknown) => void

  constructor(
    readonly streamId: string,
    /** The stream id as bytes: the record key. */
    readonly key: Uint8Array,
    readonly events: readonly NewEvent[],
    readonly options: AppendOptions,
    timeout: number,
  ) {
    this.deadline = performance.now() + timeout
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  get commandId(): string {
    return this.options.metadata.commandId
  }

  resolve(result: AppendResult): void {
    this.settled = true
    this.#resolve(result)
  }

  reject(error: unknown): void {
    this.settled = true
    this.#reject(error)
  }
}
