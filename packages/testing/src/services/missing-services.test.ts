import { isNarrativeError } from '@narrative/core'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { findServices } from './find-services.js'
import { startKafka } from './start-kafka.js'
import { startPostgres } from './start-postgres.js'

beforeEach(() => {
  vi.stubEnv('PATH', '/nonexistent')
  vi.stubEnv('JAVA_HOME', '')
  vi.stubEnv('DOCKER_HOST', 'unix:///nonexistent/docker.sock')
  vi.stubEnv('NARRATIVE_KAFKA_BROKERS', '')
  vi.stubEnv('NARRATIVE_DATABASE_URL', '')
})
afterEach(() => vi.unstubAllEnvs())

const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.unreachable(),
    (error) => error,
  )

test('without Docker and Java, the error says what was tried and what to install', async () => {
  const error = await failure(startKafka())
  expect(isNarrativeError(error, 'SERVICE_MISSING')).toBe(true)
  expect(error.message).toBe(`Kafka could not be started.
  docker: no Docker engine answers at DOCKER_HOST=unix:///nonexistent/docker.sock
  local: no working Java (java)
What helps, any one of:
  - set NARRATIVE_KAFKA_BROKERS=host:port to a Kafka that tests may create topics on
  - start Docker (an engine, not only the client)
  - install Java 17 or newer and Maven; the Kafka jars (54 MB) are then downloaded once`)
  expect(error.details.tried.map((way: { source: string }) => way.source)).toEqual(['docker', 'local'])
})

test('a broker of one’s own can only be local, and the error says so', async () => {
  const error = await failure(startKafka({}))
  expect(isNarrativeError(error, 'SERVICE_MISSING')).toBe(true)
  expect(error.message).toContain('A Kafka broker of its own')
  expect(error.message).not.toContain('Docker')
})

test('an address that does not answer is an error, not a reason to take another', async () => {
  vi.stubEnv('NARRATIVE_KAFKA_BROKERS', '127.0.0.1:1')
  vi.stubEnv('NARRATIVE_DATABASE_URL', 'postgres://nobody:secret@127.0.0.1:1/none')
  expect((await failure(startKafka())).message).toContain('set to 127.0.0.1:1, but no Kafka broker answers')
  const error = await failure(startPostgres())
  expect(isNarrativeError(error, 'SERVICE_MISSING')).toBe(true)
  expect(error.message).not.toContain('secret')
})

test('doctor finds what is missing', async () => {
  const { findings, kafka } = await findServices()
  const found = Object.fromEntries(findings.map(({ name, found }) => [name, found]))
  expect(found).toMatchObject({ Docker: false, Java: false, Maven: false, NARRATIVE_KAFKA_BROKERS: false })
  expect('missing' in kafka && kafka.remedy).toHaveLength(3)
})
