// The HTTP contract of the service, whatever it is backed by.
import { afterAll, beforeAll, describe } from 'vitest'
import { commandContract } from './command-contract.test-support.js'
import { edgeContract } from './edge-contract.test-support.js'
import { idempotencyContract } from './idempotency-contract.test-support.js'
import { queryContract } from './query-contract.test-support.js'
import type { ServiceUnderTest } from './service-under-test.test-support.js'

export type Current = () => ServiceUnderTest

/** The same text for the embedded service and for the one on Kafka and Postgres. */
export function orderServiceContract(start: () => Promise<ServiceUnderTest>): void {
  let service: ServiceUnderTest
  beforeAll(async () => {
    service = await start()
  })
  afterAll(() => service?.stop())
  describe('commands', () => commandContract(() => service))
  describe('queries', () => queryContract(() => service))
  describe('idempotency', () => idempotencyContract(() => service))
  describe('the edge', () => edgeContract(() => service))
}
