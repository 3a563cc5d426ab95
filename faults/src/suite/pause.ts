// Time passes; and something comes to be true.

export const pause = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds))

/** @throws Error with the sentence when it does not come in time */
export async function until(condition: () => boolean, patience: number, otherwise: () => string): Promise<void> {
  for (const end = performance.now() + patience; !condition(); await pause(20)) {
    if (performance.now() > end) throw new Error(otherwise())
  }
}
