// A projection whose handlers keep state of their own in this process: replayed from offset 0 at every start.
import type { Checkpoint, EventBatch, LogPartition } from '@narrative/core'
import type { BoundProjection } from '../definition/bind-projection.js'
import { EventView } from '../definition/projection-context.js'
import type { OpenSession, Session, SessionListener } from '../runtime/session.js'
import { stoppedAtEvent } from '../runtime/stopped.js'

/** The state outlives a lost connection to the log: a new session goes on where the last one was. */
export function memoryProjection(projection: BoundProjection): OpenSession {
  const checkpoints = new Map<string, Checkpoint>()
  return async (partitions: readonly LogPartition[], listener: SessionListener): Promise<Session> => {
    for (const { topic, partition } of partitions) {
      const key = `${topic}/${partition}`
      if (!checkpoints.has(key)) checkpoints.set(key, { topic, partition, offset: 0, claim: null })
    }
    const instance = projection.instance()
    return {
      checkpoints: [...checkpoints.values()],
      apply(batch, replayEnd) {
        applyAll(projection, instance, batch, replayEnd)
        checkpoints.set(`${batch.topic}/${batch.partition}`, batch.checkpoint)
        listener.committed([batch.checkpoint])
      },
      flush: async () => {},
      close: async () => {},
    }
  }
}

function applyAll(projection: BoundProjection, instance: unknown, batch: EventBatch, replayEnd: number): void {
  const { handlers } = projection
  for (const event of batch.events) {
    const handler = handlers.get(event.type)
    if (handler === undefined) continue
    try {
      const view = new EventView(event, event.position.offset < replayEnd)
      const result = handler.handle.call(instance, projection.decode(event), view)
      if (result !== undefined) {
        throw new TypeError(
          'a handler of a memory projection returns nothing and is synchronous; name a table in @Projection(name, { from, table }) to fold rows',
        )
      }
    } catch (error) {
      throw stoppedAtEvent(projection.name, handler, event, error)
    }
  }
}
