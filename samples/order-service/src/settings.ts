// The settings of the service, read from the environment. Everything that is wrong with them is said at once.
import { resolve } from 'node:path'

/**
 * Where events and views live: in Kafka and Postgres; or, embedded, events in a directory and views in this process.
 * Without a directory events are in memory, too: for tests.
 */
export type Backing =
  | { readonly kind: 'embedded'; readonly directory?: string }
  | { readonly kind: 'kafka'; readonly brokers: readonly string[]; readonly databaseUrl: string }

export interface Settings {
  /** 0 lets the system choose a free one. */
  readonly port: number
  readonly host: string
  readonly backing: Backing
}

/** What is wrong with the environment, a sentence each. */
export class SettingsFaulty extends Error {
  constructor(readonly faults: readonly string[]) {
    super(`The settings are not usable:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`)
  }
}

/**
 * Reads `PORT` (default 3000), `HOST` (default localhost), `KAFKA_BROKERS`, `DATABASE_URL` and `NARRATIVE_DATA` (default
 * .narrative in the working directory); unset and empty are the same.
 *
 * @throws SettingsFaulty
 */
export function readSettings(environment: Readonly<Record<string, string | undefined>>): Settings {
  const faults: string[] = []
  const text = (name: string) => environment[name]?.trim() || undefined

  const port = text('PORT') ?? '3000'
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
    faults.push(`PORT must be a number from 0 (any free port) to 65535, but is ${JSON.stringify(port)}.`)
  }
  const brokers = text('KAFKA_BROKERS')
    ?.split(',')
    .map((broker) => broker.trim())
  for (const broker of brokers ?? []) {
    if (!isBroker(broker)) {
      faults.push(
        `KAFKA_BROKERS must be a list such as kafka-1:9092,kafka-2:9092, but holds ${JSON.stringify(broker)}.`,
      )
    }
  }
  const databaseUrl = text('DATABASE_URL')
  if (databaseUrl !== undefined && !isPostgresUrl(databaseUrl)) {
    // It may hold a password, so it is not repeated.
    faults.push('DATABASE_URL must be a URL such as postgres://user:password@localhost:5432/orders.')
  }
  if (brokers !== undefined && databaseUrl === undefined) {
    faults.push('KAFKA_BROKERS is set but DATABASE_URL is not. Set both, or neither for the embedded log and views.')
  }
  if (brokers === undefined && databaseUrl !== undefined) {
    faults.push(
      'DATABASE_URL is set but KAFKA_BROKERS is not: an embedded log keeps its views in memory. Set both, or neither.',
    )
  }
  if (faults.length > 0) throw new SettingsFaulty(faults)
  return {
    port: Number(port),
    host: text('HOST') ?? 'localhost',
    backing:
      brokers && databaseUrl
        ? { kind: 'kafka', brokers, databaseUrl }
        : { kind: 'embedded', directory: dataDirectory(environment) },
  }
}

/** Where the embedded store keeps events: `NARRATIVE_DATA`, else .narrative in the working directory. */
export function dataDirectory(environment: Readonly<Record<string, string | undefined>>): string {
  return resolve(environment.NARRATIVE_DATA?.trim() || '.narrative')
}

function isBroker(text: string): boolean {
  const port = /^(?:[\w.-]+|\[[\da-fA-F:.]+\]):(\d{1,5})$/.exec(text)?.[1]
  return port !== undefined && Number(port) >= 1 && Number(port) <= 65_535
}

function isPostgresUrl(text: string): boolean {
  return URL.canParse(text) && ['postgres:', 'postgresql:'].includes(new URL(text).protocol)
}
