// The public API of @narrative/local-store, name by name. Whatever is not listed here is not public.
export { lockDirectory, type Unlock } from './directory-lock.js'
export {
  type EmbeddedEventStorage,
  type EmbeddedEventStoreOptions,
  embeddedEventStore,
} from './embedded-event-store.js'
export { LocalPartition, type LocalPartitionOptions } from './local-partition.js'
export type { Frame, LocalPoint } from './record-codec.js'
