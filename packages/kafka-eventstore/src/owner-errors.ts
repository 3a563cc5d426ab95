// The errors an append can meet on its way, each saying whether anything was written.
import { isNarrativeError, NarrativeError } from '@narrative/core'
import type { PendingAppend } from './pending-append.js'

/** Sent, and nobody could be asked in time. */
export function outcomeUnknown({ streamId, commandId }: PendingAppend, partition: string, cause?: unknown) {
  return new NarrativeError('OUTCOME_UNKNOWN', {
    message: `An append to ${streamId} was sent to ${partition} and its outcome could not be learned in time. Repeat it with the same command id (${commandId}): it will act once.`,
    details: { streamId, commandId },
    cause,
  })
}

/** Never sent. */
export function notSent({ streamId, commandId }: PendingAppend, why: string) {
  return new NarrativeError('BROKER_UNREACHABLE', {
    message: `An append to ${streamId} could not be sent in time because ${why}. Nothing was written; repeat it later.`,
    details: { streamId, commandId },
  })
}

/** Too large for any batch. `bytes` is unknown when it was the broker who said so. */
export function tooLarge({ streamId, events }: PendingAppend, bytes: number | undefined, limit: number) {
  const size = bytes === undefined ? '' : `, about ${bytes} bytes,`
  return new NarrativeError('APPEND_TOO_LARGE', {
    message: `The ${events.length} event(s) for ${streamId}${size} do not fit into one record batch of at most ${limit} bytes. Store large contents elsewhere and refer to them, append fewer events at once, or raise max.message.bytes of the topic.`,
    details: { streamId, events: events.length, bytes, limit },
  })
}

/** The broker does not take it, whoever sends it. */
export function refused({ streamId, commandId }: PendingAppend, cause: Error) {
  if (isNarrativeError(cause, 'BROKER_REFUSED')) return cause
  return new NarrativeError('BROKER_REFUSED', {
    message: `Kafka refused an append to ${streamId}: ${cause.message}`,
    details: { streamId, commandId },
    cause,
  })
}

/** Another instance claimed the partition after us. */
export function takenOver(topic: string, partition: number, claim: string) {
  return new NarrativeError('NOT_OWNER', {
    message: `${topic}/${partition} was claimed by another instance (claim ${claim}); this one does not write to it any more. Send the command to the owner, or restart this instance to take over.`,
    details: { topic, partition, claim },
  })
}

/** The group gave the partition to somebody else, or takes it back. */
export function handedOver(topic: string, partition: number) {
  return new NarrativeError('NOT_OWNER', {
    message: `${topic}/${partition} is another instance's now. Nothing was written; send the command again, with the same command id.`,
    details: { topic, partition },
  })
}

/** Given back, but maybe another's in between. */
export function absentMeanwhile(topic: string, partition: number) {
  return new NarrativeError('NOT_OWNER', {
    message: `This instance was not in its group for a while, and ${topic}/${partition} may have been another's. Nothing was written; send the command again, with the same command id.`,
    details: { topic, partition },
  })
}

/** Ours, but not read up to its end in time. */
export function notServed(topic: string, partition: number, reason: string) {
  return new NarrativeError('NOT_OWNER', {
    message: `${topic}/${partition} was not ready to be read in time: ${reason}. Try again.`,
    details: { topic, partition },
  })
}

/** Something nobody foresaw ended the owner. */
export function ownerFailed(topic: string, partition: number, cause: unknown) {
  return new NarrativeError('NOT_OWNER', {
    message: `${topic}/${partition} is not served any more after an unexpected failure; restart this instance.`,
    details: { topic, partition },
    cause,
  })
}

/** The error of a store that was closed. */
export function storeClosed(): NarrativeError {
  return new NarrativeError('STORE_CLOSED', { message: 'The event store on Kafka was closed.' })
}
