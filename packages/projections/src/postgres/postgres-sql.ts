// Free-SQL projections: the handlers' statements and the checkpoint in one transaction per batch.
import { type EventBatch, isNarrativeError } from '@narrative/core'
import type { ClientBase, Pool } from 'pg'
import type { BoundProjection } from '../definition/bind-projection.js'
import { EventView } from '../definition/projection-context.js'
import { type OpenSession, ViewReplaced } from '../runtime/session.js'
import { stoppedAtEvent, stoppedAtWrite } from '../runtime/stopped.js'
import { beginCheckpoints, currentGeneration, dropCheckpoints, lockCheckpoints, setGeneration } from './checkpoints.js'
import { claimCheckpoints } from './postgres-table.js'
import { isPassing, transaction } from './transaction.js'

/** Sessions that commit every batch. */
export function openPostgresSql(pool: Pool, projection: BoundProjection): OpenSession {
  return async (partitions, listener) => {
    const { generation, checkpoints } = await transaction(pool, async (client) => {
      const generation = (await currentGeneration(client, projection.name))?.generation ?? 1
      await beginCheckpoints(client, projection.name, generation, partitions)
      return { generation, checkpoints: await lockCheckpoints(client, projection.name, generation) }
    })
    const offsets = new Map(checkpoints.map(({ topic, partition, offset }) => [`${topic}/${partition}`, offset]))
    return {
      checkpoints,
      async apply(batch, replayEnd) {
        const place = `${batch.topic}/${batch.partition}`
        const move = { from: offsets.get(place) ?? 0, to: batch.checkpoint }
        try {
          await transaction(pool, async (client) => {
            await claimCheckpoints(client, { projection, generation }, [move])
            await runHandlers(projection, client, batch, replayEnd)
          })
        } catch (error) {
          if (error instanceof ViewReplaced || isNarrativeError(error)) throw error
          throw stoppedAtWrite(projection.name, `committing ${place}@${move.from} to ${move.to.offset}`, error)
        }
        offsets.set(place, batch.checkpoint.offset)
        listener.committed([batch.checkpoint])
      },
      flush: async () => {},
      close: async () => {},
    }
  }
}

/** One after the other: events of a partition have an order, and a connection has one statement at a time. */
export async function runHandlers(
  projection: BoundProjection,
  client: ClientBase,
  batch: EventBatch,
  replayEnd: number,
): Promise<void> {
  for (const event of batch.events) {
    const handler = projection.handlers.get(event.type)
    if (handler === undefined) continue
    try {
      const view = new EventView(event, event.position.offset < replayEnd, client)
      await handler.handle.call(projection.instance(), projection.decode(event), view)
    } catch (error) {
      if (isPassing(error)) throw error
      throw stoppedAtEvent(projection.name, handler, event, error)
    }
  }
}

/**
 * Empties a projection's tables and replays it, all in one transaction. A worker of the old generation waits for its checkpoint
 * rows meanwhile, finds them gone, and goes on with the new generation.
 */
export async function rebuildPostgresSql(
  pool: Pool,
  projection: BoundProjection,
  reset: string,
  replay: (open: OpenSession) => Promise<void>,
): Promise<void> {
  await transaction(pool, async (client) => {
    const old = (await currentGeneration(client, projection.name))?.generation ?? 0
    const generation = old + 1
    await lockCheckpoints(client, projection.name, old)
    await dropCheckpoints(client, projection.name, old)
    await setGeneration(client, projection.name, generation, null)
    await client.query(reset)
    await replay(async (partitions, listener) => {
      await beginCheckpoints(client, projection.name, generation, partitions)
      const checkpoints = await lockCheckpoints(client, projection.name, generation)
      const offsets = new Map(checkpoints.map(({ topic, partition, offset }) => [`${topic}/${partition}`, offset]))
      return {
        checkpoints,
        async apply(batch, replayEnd) {
          const place = `${batch.topic}/${batch.partition}`
          await claimCheckpoints(client, { projection, generation }, [
            { from: offsets.get(place) ?? 0, to: batch.checkpoint },
          ])
          await runHandlers(projection, client, batch, replayEnd)
          offsets.set(place, batch.checkpoint.offset)
          listener.committed([batch.checkpoint])
        },
        flush: async () => {},
        close: async () => {},
      }
    })
  })
}
