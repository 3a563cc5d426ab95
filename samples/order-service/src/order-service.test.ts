// The contract on the embedded default.
import { expect, test } from 'vitest'
import { orderServiceContract } from './contract/order-service-contract.test-support.js'
import { ServiceUnderTest } from './contract/service-under-test.test-support.js'

orderServiceContract(() => ServiceUnderTest.start({ kind: 'embedded' }))

test('a service whose log is closed is live, not ready, and says why', async () => {
  const service = await ServiceUnderTest.start({ kind: 'embedded' })
  await service.app.stop()
  expect(await service.get('/health')).toMatchObject({
    status: 503,
    body: { live: true, ready: false, reasons: expect.arrayContaining([expect.stringContaining('closed')]) },
  })
  expect(await service.get('/health/live')).toMatchObject({ status: 200 })
  expect(await service.place()).toMatchObject({
    status: 503,
    headers: { 'retry-after': '1' },
    body: { code: 'STORE_CLOSED' },
  })
  await service.stop()
})
