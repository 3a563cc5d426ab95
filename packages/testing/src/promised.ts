/** A promise, and how to keep it. */
export class Promised {
  keep!: () => void
  readonly kept = new Promise<void>((resolve) => {
    this.keep = resolve
  })
}
