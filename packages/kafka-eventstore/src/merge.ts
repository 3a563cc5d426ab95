// Several producers of items, one consumer; every producer may be one item ahead, so memory stays bounded.

/** Hands an item over; resolves when the consumer has come for it. */
export type Offer<T> = (item: T) => Promise<void>

export class Merge<T> implements AsyncIterable<T> {
  readonly #signal: AbortSignal
  readonly #ready: { readonly item: T; readonly taken: () => void }[] = []
  #failure: { readonly error: unknown } | undefined
  #wake: (() => void) | undefined

  /** @param signal ends the iteration and lets go of producers that wait */
  constructor(signal: AbortSignal) {
    this.#signal = signal
  }

  /** Starts a producer. Its failure fails the iteration, unless that is over already. */
  add(produce: (offer: Offer<T>) => Promise<void>): void {
    let taken: Promise<void> = Promise.resolve()
    const offer: Offer<T> = async (item) => {
      await taken // of the item before: so the next one is prepared while this one waits or is handled
      taken = new Promise((resolve) => this.#ready.push({ item, taken: resolve }))
      this.#wake?.()
    }
    produce(offer).catch((error: unknown) => {
      this.#failure ??= { error }
      this.#wake?.()
    })
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void> {
    const wake = () => this.#wake?.()
    this.#signal.addEventListener('abort', wake)
    try {
      while (!this.#signal.aborted) {
        const next = this.#ready.shift()
        if (next !== undefined) {
          next.taken()
          yield next.item
        } else if (this.#failure !== undefined) {
          throw this.#failure.error
        } else {
          await new Promise<void>((resolve) => {
            this.#wake = resolve
          })
        }
      }
    } finally {
      this.#signal.removeEventListener('abort', wake)
      for (const { taken } of this.#ready.splice(0)) taken()
    }
  }
}
