import { readFile } from 'node:fs/promises'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { createServer, type Server } from 'node:tls'
import { type KafkaBroker, startKafka, uniqueName } from '@narrative/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Certificate, makeCertificate } from './certificate.test-support.js'
import { kafkajsDriver } from './kafkajs-driver.js'

// The broker speaks TLS through a terminator in front of it, whose port it advertises: every connection of the driver
// has to be encrypted, those to the leaders named by the metadata too.
let kafka: KafkaBroker
let terminator: Server
let certificate: Certificate
const sockets = new Set<Socket>()

beforeAll(async () => {
  certificate = await makeCertificate()
  let target = 0
  terminator = createServer(
    { pfx: await readFile(certificate.store), passphrase: certificate.password },
    (encrypted) => {
      const plain = connect(target, '127.0.0.1')
      for (const socket of [encrypted, plain]) {
        sockets.add(socket)
        socket.on('error', () => socket.destroy()) // the other end went away
        socket.on('close', () => sockets.delete(socket))
      }
      encrypted.pipe(plain).pipe(encrypted)
    },
  )
  await new Promise<void>((resolve) => terminator.listen(0, '127.0.0.1', resolve))
  kafka = await startKafka({ proxyPort: (terminator.address() as AddressInfo).port })
  target = kafka.proxyTarget!
})

afterAll(async () => {
  for (const socket of sockets) socket.destroy()
  terminator?.close()
  await kafka?.stop()
  await certificate?.remove()
})

const brokers = () => [`127.0.0.1:${(terminator.address() as AddressInfo).port}`]

test('with a trusted certificate, everything goes through TLS', async () => {
  const driver = kafkajsDriver({ brokers: brokers(), ssl: { ca: [certificate.ca], servername: 'localhost' } })
  const topic = uniqueName('tls')
  await driver.connect()
  await driver.createTopic({ name: topic, partitions: 1, replicationFactor: 1, settings: {} })
  const identity = await driver.initProducerId(topic)
  const record = { key: null, value: Buffer.from('secret'), headers: [] }
  const batch = { topic, partition: 0, identity, sequence: 0, time: Date.now(), records: [record] }
  expect(await driver.produce(batch)).toEqual({ outcome: 'done', baseOffset: 0 })
  const { records } = await driver.fetch({ topic, partition: 0, offset: 0, maxBytes: 1_000, maxWait: 100 })
  expect(records.map(({ value }) => value?.toString())).toEqual(['secret'])
  await driver.close()
})

test('a certificate that nobody vouches for is refused, and the error says so', async () => {
  const driver = kafkajsDriver({ brokers: brokers(), ssl: true })
  await expect(driver.connect()).rejects.toMatchObject({
    code: 'BROKER_UNREACHABLE',
    message: expect.stringMatching(/certificate/),
  })
  await driver.close()
})
