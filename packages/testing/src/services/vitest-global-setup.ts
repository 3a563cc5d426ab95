// vitest's globalSetup of this repository: its workers inherit the environment, so all tests share the services.
import { startSharedServices } from './shared-services.js'

/**
 * Starts the services, or finds those that `pnpm test` has started; returns what stops them.
 * A service that cannot be had fails the tests that ask for it, with the reason, and no others.
 */
export default async function shareServices(): Promise<() => Promise<void>> {
  const services = await startSharedServices()
  Object.assign(process.env, services.environment)
  return () => services.stop()
}
