// The contract on the embedded default.
import { orderServiceContract } from './contract/order-service-contract.test-support.js'
import { ServiceUnderTest } from './contract/service-under-test.test-support.js'

orderServiceContract(() => ServiceUnderTest.start({ kind: 'embedded' }))
