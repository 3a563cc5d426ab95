import type { EventStorage } from '@narrative/core'
import type { ContractCase } from './contract-case.js'
import { eventStoreAppends } from './event-store-appends.js'
import { eventStoreDuplicates } from './event-store-duplicates.js'
import { eventStoreLifecycle } from './event-store-lifecycle.js'
import { eventStoreProperties } from './event-store-properties.js'
import { eventStoreReads } from './event-store-reads.js'

/** What every `EventStore` does: appends, conflicts, duplicates, reads, opening and closing. */
export const eventStoreContract: readonly ContractCase<EventStorage>[] = [
  ...eventStoreAppends,
  ...eventStoreDuplicates,
  ...eventStoreReads,
  ...eventStoreLifecycle,
  ...eventStoreProperties,
]
