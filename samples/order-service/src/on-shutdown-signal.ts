// SIGTERM and SIGINT: finish what is under way, then exit 0.

/** Longer than any request should take; shorter than the 30 s after which Kubernetes kills. */
const patience = 20_000

/** A terminal and a wrapping process may both pass on one and the same Ctrl-C. */
const sameKeystroke = 500

/**
 * Runs `drain` at the first signal and exits: 0 when it is done, 1 when it fails or takes too long. A second signal does not wait.
 */
export function onShutdownSignal(drain: (signal: NodeJS.Signals) => Promise<void>): void {
  let stoppingSince: number | undefined
  const stop = async (signal: NodeJS.Signals) => {
    if (stoppingSince !== undefined) {
      if (Date.now() - stoppingSince > sameKeystroke) process.exit(1)
      return
    }
    stoppingSince = Date.now()
    setTimeout(() => {
      console.error(`order-service: still busy ${patience / 1000} s after ${signal}; giving up.`)
      process.exit(1)
    }, patience).unref()
    try {
      await drain(signal)
      process.exit(0)
    } catch (error) {
      console.error(error)
      process.exit(1)
    }
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
}
