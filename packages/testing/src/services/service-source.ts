// The order in which a service is looked for, and what is said when there is none.
import { NarrativeError } from '@narrative/core'

/** Where a service came from: an address in the environment, Docker, or this machine without Docker. */
export type ServiceSource = 'environment' | 'docker' | 'local'

/** One way to get a service; `start` throws an error whose message says why it cannot. */
export interface ServiceWay<Service> {
  readonly source: ServiceSource
  readonly start: () => Promise<Service>
}

/**
 * The first way that works.
 *
 * @param remedy what to install or set, a sentence each
 * @throws NarrativeError `SERVICE_MISSING` with every way that was tried and why it failed
 */
export async function firstThatWorks<Service>(
  service: string,
  ways: readonly ServiceWay<Service>[],
  remedy: readonly string[],
): Promise<Service> {
  const tried: { source: ServiceSource; reason: string }[] = []
  for (const { source, start } of ways) {
    try {
      return await start()
    } catch (error) {
      tried.push({ source, reason: error instanceof Error ? error.message : String(error) })
    }
  }
  throw new NarrativeError('SERVICE_MISSING', {
    message: [
      `${service} could not be started.`,
      ...tried.map(({ source, reason }) => `  ${source}: ${reason}`),
      'What helps, any one of:',
      ...remedy.map((line) => `  - ${line}`),
    ].join('\n'),
    details: { service, tried, remedy },
  })
}
