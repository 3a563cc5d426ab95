// A gate that a test closes and opens: what passes waits in between, and the test can wait for it to arrive.
import { Promised } from '../promised.js'

export class Gate {
  #shut: { readonly opened: Promised; readonly arrived: Promised } | undefined

  /** @returns resolves when somebody stands before it */
  shut(): Promise<void> {
    // Shut already, it stays so for what waits there.
    this.#shut ??= { opened: new Promised(), arrived: new Promised() }
    return this.#shut.arrived.kept
  }

  open(): void {
    this.#shut?.opened.keep()
    this.#shut = undefined
  }

  /** Resolves at once when it is open; else when it is opened, or when the signal aborts. */
  async pass(signal?: AbortSignal): Promise<void> {
    while (this.#shut !== undefined && !signal?.aborted) {
      const { opened, arrived } = this.#shut
      arrived.keep()
      await (signal === undefined ? opened.kept : Promise.race([opened.kept, aborted(signal)]))
    }
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  const abort = new Promised()
  signal.addEventListener('abort', abort.keep, { once: true })
  return abort.kept
}
