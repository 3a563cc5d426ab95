import { silentLogger } from '@narrative/core'
import { expect, test } from 'vitest'
import { loadKafkajs, requireSupported } from './kafkajs-internals.js'

test('the installed kafkajs is the one whose private parts are used', () => {
  expect(loadKafkajs().describeError(47)).toMatchObject({ type: 'INVALID_PRODUCER_EPOCH' })
})

test('any other version is refused with what to do', () => {
  expect(() => requireSupported('2.2.5')).toThrow('pin kafkajs to exactly 2.2.4')
})

test('a quota holds requests back for as long as it says, also when the wall clock is set back meanwhile', async () => {
  const settings = {
    host: 'localhost',
    port: 1,
    clientId: 'test',
    ssl: undefined,
    sasl: undefined,
    logger: silentLogger,
  }
  const broker = loadKafkajs().createBroker({ ...settings, connectionTimeout: 1_000, requestTimeout: 1_000 })
  const { requestQueue } = broker.connectionPool.pool[0]!
  const now = Date.now
  try {
    const began = performance.now()
    requestQueue.maybeThrottle(100)
    Date.now = () => now() - 3 * 3_600_000
    await new Promise<void>((resolve) => {
      const entry = { apiKey: 0, apiName: 'Produce', apiVersion: 7, correlationId: 1, resolve() {}, reject() {} }
      requestQueue.push({ entry, expectResponse: true, requestTimeout: 1_000, sendRequest: resolve })
    })
    expect(performance.now() - began).toBeGreaterThanOrEqual(99)
  } finally {
    Date.now = now
    requestQueue.destroy()
  }
})
