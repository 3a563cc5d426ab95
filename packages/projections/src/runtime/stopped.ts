// The errors that stop a projection: what happened, at which event, and how to go on.
import { NarrativeError, type RecordedEvent } from '@narrative/core'
import type { HandlerDefinition } from '../definition/projection-definition.js'
import { callEvent } from '../definition/unreadable-event.js'

/** A handler refused an event. */
export function stoppedAtEvent(
  projection: string,
  handler: HandlerDefinition | undefined,
  event: RecordedEvent,
  cause: unknown,
): NarrativeError<'PROJECTION_STOPPED'> {
  const { type, streamId, version, position } = event
  const what = handler === undefined ? '' : ` in ${handler.name}`
  return new NarrativeError('PROJECTION_STOPPED', {
    message:
      `Projection ${projection} stopped at ${callEvent(event)}${what}: ${reasonOf(cause)}. ` +
      `Everything before it is stored, nothing of this event is. Correct the handler and start again: it goes on with this event. If earlier rows are wrong too, rebuild the projection.`,
    details: { projection, eventType: type, streamId, version, position, handler: handler?.name },
    cause,
  })
}

/** Postgres refused rows for good. */
export function stoppedAtWrite(projection: string, what: string, cause: unknown): NarrativeError<'PROJECTION_STOPPED'> {
  return new NarrativeError('PROJECTION_STOPPED', {
    message:
      `Projection ${projection} stopped: ${what} failed: ${reasonOf(cause)}. The transaction was rolled back, so nothing is half done. ` +
      `Remove the cause and start again: it goes on where it stopped. If the table itself is wrong, rebuild the projection.`,
    details: { projection },
    cause,
  })
}

/** Another worker was faster, or somebody changed the checkpoints. */
export function checkpointMoved(projection: string, expected: readonly string[]): NarrativeError<'CHECKPOINT_MOVED'> {
  return new NarrativeError('CHECKPOINT_MOVED', {
    message:
      `Projection ${projection} is no longer at ${expected.join(', ')}: another worker moved its checkpoint. ` +
      `This worker's transaction was rolled back; it begins again where the other one is, unless its partitions are given to others.`,
    details: { projection, expected },
  })
}

/** There is no older view to go back to. */
export function nothingKept(projection: string): NarrativeError<'NOTHING_KEPT'> {
  return new NarrativeError('NOTHING_KEPT', {
    message: `No older table of projection ${projection} was kept; rebuild with { keepOld: true } to keep one.`,
    details: { projection },
  })
}

/** Somebody ended a rebuild. */
export function rebuildCancelled(projection: string): NarrativeError<'REBUILD_CANCELLED'> {
  return new NarrativeError('REBUILD_CANCELLED', {
    message: `The rebuild of projection ${projection} was cancelled. The view is as it was.`,
    details: { projection },
  })
}

/** The sentence of any thrown value. */
export function reasonOf(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause)
  return text.replace(/\.$/, '')
}
