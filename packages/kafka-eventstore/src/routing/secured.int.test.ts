// Groups and routing on a broker that asks for TLS and a password.
import { isNarrativeError } from '@narrative/core'
import { type KafkaBroker, startKafka, uniqueName } from '@narrative/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Certificate, makeCertificate } from '../driver/certificate.test-support.js'
import type { KafkaEventStoreOptions } from '../options.js'
import { Account, Deposit, idElsewhere, Overdrawn, shared, startAccounts, Withdraw } from './accounts.test-support.js'

const login = { username: 'teller', password: 'of-tales' }
let certificate: Certificate
let kafka: KafkaBroker

beforeAll(async () => {
  certificate = await makeCertificate()
  kafka = await startKafka({
    sasl: login,
    settings: {
      'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,SASL:SASL_SSL,CONTROLLER:PLAINTEXT',
      'listener.name.sasl.ssl.keystore.type': 'PKCS12',
      'listener.name.sasl.ssl.keystore.location': certificate.store,
      'listener.name.sasl.ssl.keystore.password': certificate.password,
      'listener.name.sasl.ssl.key.password': certificate.password,
    },
  })
})
afterAll(async () => {
  await kafka?.stop()
  await certificate?.remove()
})

function secured(more: Partial<KafkaEventStoreOptions> = {}): KafkaEventStoreOptions {
  const ssl = { ca: [certificate.ca], servername: 'localhost' }
  const sasl = { mechanism: 'plain', ...login } as const
  return { brokers: kafka.saslBrokers!, context: uniqueName('secured'), partitions: 4, ssl, sasl, ...more }
}

test('two instances share the partitions, and commands travel between them', async () => {
  const options = secured()
  const one = await startAccounts(options)
  const two = await startAccounts(options)
  await shared(one, two)
  const id = await idElsewhere(two)
  expect(await two.commands.execute(new Deposit(id, 7))).toMatchObject({ aggregateId: id, version: 1 })
  await expect(two.commands.execute(new Withdraw(id, 8))).rejects.toBeInstanceOf(Overdrawn)
  expect(await one.aggregates.state(Account, id)).toMatchObject({ version: 1, state: { balance: 7 } })
  await one.stop()
  expect(await two.commands.execute(new Withdraw(id, 7))).toMatchObject({ version: 2 })
  await two.stop()
}, 60_000)

test('a wrong password ends the start, with an error that names the user and not the password', async () => {
  const sasl = { mechanism: 'plain', username: 'teller', password: 'guessed' } as const
  const error = await startAccounts(secured({ sasl })).catch((error: unknown) => error)
  expect(error).toMatchObject({
    code: 'BROKER_REFUSED',
    message: expect.stringMatching(/refused SASL plain for user 'teller'/),
  })
  expect(`${(error as Error).stack} ${JSON.stringify(error)}`).not.toContain('guessed')
})

test.each([
  ['no certificate is trusted', { ssl: true }, /certificate/],
  ['TLS is left out', { ssl: undefined }, /TLS and SASL settings/],
])('when %s, the start ends with what to check', async (_, more, words) => {
  const error = await startAccounts(secured(more)).catch((error: unknown) => error)
  expect(isNarrativeError(error, 'BROKER_UNREACHABLE')).toBe(true)
  expect((error as Error).message).toMatch(words)
})
