import { connect, createServer } from 'node:net'
import kafkajs, { type KafkaConfig } from 'kafkajs'
import { expect, test, vi } from 'vitest'
import { freePort } from './free-port.js'
import { kafkaAnswers } from './kafka-ping.js'
import { startKafka } from './start-kafka.js'
import { uniqueName } from './unique-name.js'

const portOf = (address: string | undefined) => Number(address?.split(':')[1])
const answers = (address: string | undefined) => kafkaAnswers('127.0.0.1', portOf(address))
const client = (config: KafkaConfig) =>
  new kafkajs.Kafka({ logLevel: kafkajs.logLevel.NOTHING, retry: { retries: 2 }, ...config })

async function topics(config: KafkaConfig): Promise<string[]> {
  const admin = client(config).admin()
  await admin.connect()
  return admin.listTopics().finally(() => admin.disconnect())
}

test('a run shares one broker, which no test stops', async () => {
  const kafka = await startKafka()
  expect(kafka.source).toBe('environment')
  await kafka.stop()
  expect(await answers(kafka.brokers[0])).toBe(true)
})

test('two brokers of their own can be started at once', async () => {
  vi.stubEnv('NARRATIVE_KAFKA_BROKERS', '')
  const [one, two] = await Promise.all([startKafka({}), startKafka({})])
  expect(await Promise.all([answers(one.brokers[0]), answers(two.brokers[0])])).toEqual([true, true])
  expect(one.brokers).not.toEqual(two.brokers)
  await Promise.all([one.stop(), two.stop()])
  expect(await Promise.all([answers(one.brokers[0]), answers(two.brokers[0])])).toEqual([false, false])
  vi.unstubAllEnvs()
})

test('a broker keeps its address and its data when it is killed and restarted', async () => {
  const kafka = await startKafka({})
  const topic = uniqueName()
  const producer = client({ brokers: kafka.brokers }).producer()
  await producer.connect()
  await producer.send({ topic, acks: -1, messages: [{ value: 'kept' }] })
  await producer.disconnect()

  await kafka.kill('SIGKILL')
  expect(await answers(kafka.brokers[0])).toBe(false)
  await kafka.restart()

  const admin = client({ brokers: kafka.brokers }).admin()
  await admin.connect()
  expect((await admin.fetchTopicOffsets(topic))[0]?.high).toBe('1')
  await admin.disconnect()
  await kafka.stop()
})

test('a broker sends clients through a proxy, asks for a password, and takes settings', async () => {
  // Without `upstream` the proxy turns clients away, as a broken network would.
  let upstream: number | undefined
  let passed = 0
  const proxy = createServer((socket) => {
    passed++
    if (upstream === undefined) return socket.destroy()
    const onward = connect(upstream, '127.0.0.1')
    socket.pipe(onward).pipe(socket)
    for (const end of [socket, onward]) end.on('error', () => socket.destroy(onward.destroy() as never))
  })
  const proxyPort = await freePort()
  await new Promise<void>((resolve) => proxy.listen(proxyPort, '127.0.0.1', resolve))
  const sasl = { username: 'teller', password: 'of tales' }
  const kafka = await startKafka({ proxyPort, sasl, settings: { 'auto.create.topics.enable': 'false' } })
  upstream = kafka.proxyTarget

  const proxied = client({ brokers: [`127.0.0.1:${proxyPort}`] }).admin()
  await proxied.connect()
  expect((await proxied.describeCluster()).brokers.map((broker) => broker.port)).toEqual([proxyPort])
  await proxied.disconnect()
  expect(passed).toBeGreaterThan(0)

  const brokers = kafka.saslBrokers!
  expect(await topics({ brokers, sasl: { mechanism: 'plain', ...sasl } })).toEqual([])
  await expect(topics({ brokers, sasl: { mechanism: 'plain', ...sasl, password: 'wrong' } })).rejects.toThrow(
    'Authentication failed',
  )

  const producer = client({ brokers: kafka.brokers }).producer()
  await producer.connect()
  await expect(producer.send({ topic: uniqueName(), messages: [{ value: '' }] })).rejects.toThrow()
  await producer.disconnect()

  await kafka.stop()
  await new Promise((resolve) => proxy.close(resolve))
})

test('a broker that cannot start says so in its own words', async () => {
  await expect(startKafka({ settings: { 'num.io.threads': 'many' } })).rejects.toThrow('num.io.threads')
})
