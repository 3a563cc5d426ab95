// Opens sessions of free-SQL projections: to follow the log, and to rebuild in one transaction.
import type { ClientBase, Pool } from 'pg'
import type { BoundProjection } from '../definition/bind-projection.js'
import { ParkedEvents } from '../failures/parked-events.js'
import type { OpenSession } from '../runtime/session.js'
import type { Place } from '../runtime/work-share.js'
import { beginCheckpoints, dropCheckpoints, lockCheckpoints } from './checkpoints.js'
import { ClaimedCheckpoints } from './claimed-checkpoints.js'
import { changeLetters, readAsked, readParked } from './dead-letter-table.js'
import { dropGeneration, holdGeneration, nextGeneration, setGeneration } from './generations.js'
import { nested } from './savepoint.js'
import { SqlSession } from './sql-session.js'
import { transaction } from './transaction.js'

/** A transaction of the handlers. */
export type Atomically = <T>(work: (client: ClientBase) => Promise<T>) => Promise<T>

/**
 * Sessions that commit every batch.
 * @param building a generation that is not read yet; default the one that is
 */
export function openPostgresSql(
  pool: Pool,
  projection: BoundProjection,
  building?: { readonly generation: number; readonly atomically: Atomically },
): OpenSession {
  return async (partitions, listener) => {
    const { generation, ...state } = await transaction(pool, async (client) => {
      const generation =
        building?.generation ?? (await holdGeneration(client, projection.name, 'SHARE'))?.generation ?? 1
      return { generation, ...(await readState(client, projection, generation, partitions)) }
    })
    const of = { projection: projection.name, generation }
    return new SqlSession({
      ...{ projection, listener, ...state },
      atomically: building?.atomically ?? ((work) => transaction(pool, work)),
      changeLetters: (client, changes) => changeLetters(client, of, changes),
      asked: (all) => readAsked(pool, of, partitions, all),
    })
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
    const old = await holdGeneration(client, projection.name, 'UPDATE')
    const generation = nextGeneration(old)
    const of = { projection: projection.name, generation }
    await lockCheckpoints(client, projection.name, old?.generation ?? 0)
    await dropCheckpoints(client, projection.name, old?.generation ?? 0)
    if (old?.kept !== undefined) await dropGeneration(client, projection.name, old.kept)
    await setGeneration(client, projection.name, { generation, tableNames: [], kept: undefined })
    await client.query(reset)
    await replay(async (partitions, listener) => {
      return new SqlSession({
        ...{ projection, listener, ...(await readState(client, projection, generation, partitions)) },
        atomically: (work) => nested(client, work),
        changeLetters: (_client, changes) => changeLetters(client, of, changes),
        asked: async () => [],
      })
    })
  })
}

async function readState(
  client: ClientBase,
  projection: BoundProjection,
  generation: number,
  partitions: readonly Place[],
) {
  await beginCheckpoints(client, projection.name, generation, partitions)
  const stored = await lockCheckpoints(client, projection.name, generation, partitions)
  const parked = await readParked(client, { projection: projection.name, generation }, partitions)
  return { checkpoints: new ClaimedCheckpoints(projection, generation, stored), parked: new ParkedEvents(parked) }
}
