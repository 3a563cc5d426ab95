// Waits for a condition by asking again and again.

/**
 * Resolves with true once the condition holds, with false when `timeout` milliseconds went by.
 *
 * @param abort stops asking, and answers false
 */
export async function waitUntil(
  condition: () => boolean | Promise<boolean>,
  timeout: number,
  abort?: AbortSignal,
): Promise<boolean> {
  const deadline = performance.now() + timeout
  while (performance.now() < deadline && !abort?.aborted) {
    if (await condition()) return true
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  return false
}
