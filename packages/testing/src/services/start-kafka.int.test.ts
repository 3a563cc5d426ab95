import { expect, test } from 'vitest'
import { kafkaAnswers } from './kafka-ping.js'
import { startKafka } from './start-kafka.js'

const answers = (address: string) => kafkaAnswers('127.0.0.1', Number(address.split(':')[1]))

test('a run shares one broker', async () => {
  const kafka = await startKafka()
  expect(kafka.source).toBe('environment')
  await kafka.stop()
  expect(await answers(kafka.brokers[0]!)).toBe(true)
})
