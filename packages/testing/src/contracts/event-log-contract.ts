import type { EventStorage } from '@narrative/core'
import type { ContractCase } from './contract-case.js'
import { eventLogCheckpoints } from './event-log-checkpoints.js'
import { eventLogEndings } from './event-log-endings.js'
import { eventLogOrder } from './event-log-order.js'

/** What every `EventLog` does: partitions, order, resuming, live subscriptions and their end. */
export const eventLogContract: readonly ContractCase<EventStorage>[] = [
  ...eventLogOrder,
  ...eventLogCheckpoints,
  ...eventLogEndings,
]
