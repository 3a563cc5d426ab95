import type { StreamId } from '../messages/stream-id.js'

/** The partition of a stream, for ever the same: FNV-1a over the UTF-16 code units of its id. */
export function partitionOf(streamId: StreamId, partitions: number): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < streamId.length; i++) hash = Math.imul(hash ^ streamId.charCodeAt(i), 0x01000193)
  return (hash >>> 0) % partitions
}
