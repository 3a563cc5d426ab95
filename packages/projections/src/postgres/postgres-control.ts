// The control room in Postgres: who works, what they are told, and how far all is.
import type { Pool } from 'pg'
import { type ControlRoom, forgottenAfter, type StoredState } from '../runtime/control.js'
import { BuildLock } from './build-lock.js'
import { endBuild, readBuild } from './builds.js'
import { lockSchema, readCheckpoints } from './checkpoints.js'
import { dropGeneration } from './generations.js'
import { query, queryIfSetUp, transaction } from './transaction.js'

export function postgresControl(pool: () => Promise<Pool>): ControlRoom {
  return {
    async report(projection, { worker, state, reason, partitions }) {
      const { rows } = await query(
        await pool(),
        `WITH seen AS (
           INSERT INTO narrative_workers (projection, worker, state, reason, partitions, seen_at)
           VALUES ($1, $2, $3, $4, $5, now())
           ON CONFLICT (projection, worker) DO UPDATE SET state = EXCLUDED.state, reason = EXCLUDED.reason,
             partitions = EXCLUDED.partitions, seen_at = EXCLUDED.seen_at
         ), gone AS (
           DELETE FROM narrative_workers
           WHERE projection = $1 AND worker <> $2 AND seen_at < now() - make_interval(secs => ${forgottenAfter / 1000})
         )
         SELECT paused, wake FROM narrative_projections WHERE projection = $1`,
        [projection, worker, state, reason?.replaceAll('\0', '\uFFFD') ?? null, partitions],
      )
      return { paused: rows[0]?.paused ?? false, wake: rows[0]?.wake ?? 0 }
    },
    async leave(projection, worker) {
      await query(await pool(), 'DELETE FROM narrative_workers WHERE projection = $1 AND worker = $2', [
        projection,
        worker,
      ])
    },
    async setPaused(projection, paused) {
      await queryIfSetUp(
        await pool(),
        'UPDATE narrative_projections SET paused = $2, wake = wake + 1 WHERE projection = $1',
        [projection, paused],
      )
    },
    cancelBuild: async (projection) => cancelBuild(await pool(), projection),
    state: async (projection) => readState(await pool(), projection),
  }
}

/** Who is at the build looks now and then whether it is cancelled; when nobody is, it is thrown away here. */
async function cancelBuild(pool: Pool, projection: string): Promise<boolean> {
  const { rowCount } = await queryIfSetUp(pool, 'UPDATE narrative_builds SET cancelled = true WHERE projection = $1', [
    projection,
  ])
  if (rowCount === 0) return false
  const lock = await BuildLock.take(pool, projection)
  try {
    if (!lock.alone) return true
    await transaction(pool, async (client) => {
      await lockSchema(client)
      const build = await readBuild(client, projection)
      if (build === undefined) return
      await dropGeneration(client, projection, build)
      await endBuild(client, projection)
    })
    return true
  } finally {
    await lock.release()
  }
}

async function readState(pool: Pool, projection: string): Promise<StoredState> {
  const one = async (text: string) => (await queryIfSetUp(pool, text, [projection])).rows
  const [current] = await one('SELECT * FROM narrative_projections WHERE projection = $1')
  const [build] = await one(
    `SELECT generation, extract(epoch FROM began_at) * 1000 AS began_at FROM narrative_builds WHERE projection = $1`,
  )
  const letters = await one(
    'SELECT generation, count(*) AS parked FROM narrative_dead_letters WHERE projection = $1 GROUP BY generation',
  )
  const parkedIn = (generation: number) => Number(letters.find((row) => row.generation === generation)?.parked ?? 0)
  const generation: number = current?.generation ?? 0
  const workers = await one(
    `SELECT worker, state, reason, partitions, extract(epoch FROM now() - seen_at) * 1000 AS silent_for
     FROM narrative_workers WHERE projection = $1 ORDER BY worker`,
  )
  return {
    ...{ generation, paused: current?.paused ?? false, parked: parkedIn(generation) },
    kept: current?.kept_generation ?? undefined,
    checkpoints: await readCheckpoints(pool, projection),
    workers: workers.map(({ worker, state, reason, partitions, silent_for }) => ({
      ...{ worker, state, partitions, reason: reason ?? undefined, silentFor: Math.round(Number(silent_for)) },
    })),
    build: build && {
      generation: build.generation,
      beganAt: Number(build.began_at),
      checkpoints: await readCheckpoints(pool, projection, build.generation),
      parked: parkedIn(build.generation),
    },
  }
}
