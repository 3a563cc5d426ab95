// A state that others wait for: told to all who do, whenever it is set.

export class WatchedState<State> {
  #now: State
  #watchers: (() => void)[] = []

  constructor(first: State) {
    this.#now = first
  }

  get now(): State {
    return this.#now
  }

  set(state: State): void {
    this.#now = state
    for (const tell of this.#watchers.splice(0)) tell()
  }

  /** Resolves when it is set next, or after so many milliseconds. */
  changed(timeout: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeout)
      this.#watchers.push(() => {
        clearTimeout(timer)
        resolve()
      })
    })
  }
}
