// Postgres in a container; testcontainers is loaded only when it is needed.
import type { Logger } from '@narrative/core'
import { announced } from './progress.js'

const image = 'postgres:18-alpine'

/** A server in a container, which testcontainers removes even when this process is killed. */
export async function startDockerPostgres(
  settings: Readonly<Record<string, string>>,
  logger: Logger,
): Promise<{ url: string; stop(): Promise<void> }> {
  const { PostgreSqlContainer } = await import('@testcontainers/postgresql')
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const container = new PostgreSqlContainer(image).withCommand(['postgres', ...flags])
  const started = await announced(logger, `Starting Postgres in Docker (${image})`, 3_000, () => container.start())
  return { url: started.getConnectionUri(), stop: async () => void (await started.stop()) }
}
