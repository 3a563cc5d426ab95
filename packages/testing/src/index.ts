// The public API of @narrative/testing, name by name. Whatever is not listed here is not public.
export { checkpointStoreContract } from './contracts/checkpoint-store-contract.js'
export type { ContractCase } from './contracts/contract-case.js'
export { eventLogContract } from './contracts/event-log-contract.js'
export { eventStoreContract } from './contracts/event-store-contract.js'
export { snapshotStoreContract } from './contracts/snapshot-store-contract.js'
export { at, type SettableClock } from './settable-clock.js'
