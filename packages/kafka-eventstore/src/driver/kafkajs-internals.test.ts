import { expect, test } from 'vitest'
import { loadKafkajs, requireSupported } from './kafkajs-internals.js'

test('the installed kafkajs is the one whose private parts are used', () => {
  expect(loadKafkajs().describeError(47)).toMatchObject({ type: 'INVALID_PRODUCER_EPOCH' })
})

test('any other version is refused with what to do', () => {
  expect(() => requireSupported('2.2.5')).toThrow('pin kafkajs to exactly 2.2.4')
})
