// Tells a person why nothing seems to happen.
import type { Logger } from '@narrative/core'

/**
 * Runs `work` and says so when it takes long: after `quiet` milliseconds, then every ten seconds.
 *
 * @param what a sentence without its full stop, such as "Starting Kafka"
 */
export async function announced<T>(logger: Logger, what: string, quiet: number, work: () => Promise<T>): Promise<T> {
  const begin = performance.now()
  const seconds = () => Math.round((performance.now() - begin) / 1000)
  if (quiet === 0) logger.info({}, what)
  const first = setTimeout(() => logger.info({}, what), quiet || 10_000_000)
  const again = setInterval(() => logger.info({}, `${what}: ${seconds()} s so far`), 10_000)
  try {
    return await work()
  } finally {
    clearTimeout(first)
    clearInterval(again)
  }
}
