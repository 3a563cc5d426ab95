// What an acknowledged batch means: the events as the log has them, and each caller's answer.
import type { Appended, MessageMetadata, RecordedEvent } from '@narrative/core'
import type { DraftBatch } from './batch-assembly.js'
import type { PendingAppend } from './pending-append.js'

/** @param baseOffset offset of the first record of the batch */
export function acknowledge(batch: DraftBatch, topic: string, partition: number, baseOffset: number) {
  const events: RecordedEvent[] = []
  const answers: Appended[] = []
  for (const { append, firstVersion } of batch.appends) {
    const { streamId } = append
    const metadata = metadataOf(append)
    let version = firstVersion
    for (const { id, type, schemaVersion, contentType, data } of append.events) {
      const position = { topic, partition, offset: baseOffset + events.length }
      const { time } = batch
      events.push({ id, type, schemaVersion, contentType, data, streamId, version, position, time, metadata })
      version++
    }
    const { position } = events.at(-1)!
    answers.push({ outcome: 'appended', firstVersion, version: version - 1, position, duplicate: false })
  }
  return { events, answers }
}

/** A copy without whatever else the caller's object holds, as the log would give it back. */
function metadataOf({ options }: PendingAppend): MessageMetadata {
  const { commandId, correlationId, causationId, traceparent } = options.metadata
  const ids = { commandId, correlationId, causationId }
  return traceparent === undefined ? ids : { ...ids, traceparent }
}
