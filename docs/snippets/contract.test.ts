// What the guide to testing shows of the contract suites.
// #region contract
import { inMemoryEventStore } from '@narrative/core'
import { eventStoreContract } from '@narrative/testing'
import { test } from 'vitest'

for (const { name, run } of eventStoreContract) test(name, () => run(() => inMemoryEventStore()))
// #endregion
