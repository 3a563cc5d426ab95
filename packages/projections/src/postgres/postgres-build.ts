// A new generation of a table, built beside the old one under another name by all who rebuild it, and the one transaction that switches.
import { type Checkpoint, NarrativeError } from '@narrative/core'
import type { ClientBase, Pool } from 'pg'
import type { BoundProjection } from '../definition/bind-projection.js'
import type { BuildOptions, ViewBuild } from '../runtime/read-models.js'
import { nothingKept } from '../runtime/stopped.js'
import type { Table } from '../table/table.js'
import { BuildLock } from './build-lock.js'
import { beginBuild, endBuild, isCancelled, readBuild } from './builds.js'
import { endSessions, lockCheckpoints, lockSchema, readCheckpoints } from './checkpoints.js'
import { currentGeneration, dropGeneration, setGeneration, type TableGeneration } from './generations.js'
import { openPostgresTable } from './postgres-table.js'
import { differencesOf, makeIndexes } from './table-setup.js'
import { quote } from './table-statements.js'
import { transaction } from './transaction.js'

/**
 * Begins a build, goes on with one that was left behind, or joins those who are at it.
 * @throws NarrativeError `REBUILD_UNDER_WAY` when others are building another table
 */
export async function buildPostgresTable(
  pool: Pool,
  projection: BoundProjection,
  table: Table,
  { resume, keepOld }: BuildOptions,
): Promise<ViewBuild> {
  const { name } = projection
  const lock = await BuildLock.take(pool, name)
  const build = await prepare(pool, lock, name, table, resume).catch(async (error: unknown) => {
    await lock.release()
    throw error
  })
  const { generation, tableName } = build

  return {
    group: `rebuild.${name}.${generation}`,
    checkpoints: () => readCheckpoints(pool, name, generation),
    open: (partitions) => openPostgresTable(pool, { projection, table, generation, tableName }, partitions),
    async publish(catchUp: (old: readonly Checkpoint[]) => Promise<void>) {
      await transaction(pool, async (client) => {
        const current = await currentGeneration(client, name)
        if ((current?.generation ?? 0) < generation) await makeIndexes(client, table, tableName)
      }).catch((error: unknown) => {
        throw isCollision(error) ? beingFinished(name, error) : error
      })
      await transaction(pool, async (client) => {
        await lockSchema(client)
        const old = await currentGeneration(client, name)
        // Another one of us was faster, or an earlier attempt succeeded although its answer was lost.
        if (old !== undefined && old.generation >= generation) return
        // Holds the worker of the old generation, so that the new one can come level and readers never see time go back.
        const held = await lockCheckpoints(client, name, old?.generation ?? 0)
        await catchUp(held.map(({ checkpoint }) => checkpoint))
        // Waiting for a long reader makes all later readers wait as well: rather give way and try again.
        await client.query(`SET LOCAL lock_timeout = '5s'`)
        if (old?.kept !== undefined) await dropGeneration(client, name, old.kept)
        const present = old && { generation: old.generation, tableName: old.tableName ?? table.name }
        if (present !== undefined && keepOld) await setAside(client, name, present)
        else if (present !== undefined) await dropGeneration(client, name, present)
        await client.query(`ALTER TABLE ${quote(tableName)} RENAME TO ${quote(table.name)}`)
        const kept = present !== undefined && keepOld ? aside(present) : undefined
        await setGeneration(client, name, { generation, tableName: table.name, kept })
        await endBuild(client, name)
      })
    },
    cancelled: () => isCancelled(pool, name),
    published: async () => ((await currentGeneration(pool, name))?.generation ?? 0) >= generation,
    async close(discard) {
      try {
        if (!discard || !(await lock.isLast())) return
        await transaction(pool, async (client) => {
          await lockSchema(client)
          const current = await currentGeneration(client, name)
          if ((current?.generation ?? 0) >= generation) return
          await dropGeneration(client, name, build)
          await endBuild(client, name)
        })
      } finally {
        await lock.release()
      }
    },
  }
}

async function prepare(
  pool: Pool,
  lock: BuildLock,
  name: string,
  table: Table,
  resume: boolean,
): Promise<TableGeneration> {
  const found = await transaction(pool, async (client) => {
    await lockSchema(client)
    const left = await readBuild(client, name)
    if (left !== undefined && (resume || !lock.alone)) {
      const differences = await differencesOf(client, table, left.tableName)
      if (differences.length === 0) return left
      if (!lock.alone) throw underWay(name, differences)
    }
    if (left !== undefined) await dropGeneration(client, name, left)
    return await beginBuild(client, name, table)
  })
  // From here on others may join.
  await lock.share()
  return found
}

/**
 * Puts the kept table in the place of the present one, and keeps that.
 * @throws NarrativeError `NOTHING_KEPT`
 */
export async function switchBackPostgresTable(pool: Pool, { name }: BoundProjection): Promise<void> {
  await transaction(pool, async (client) => {
    await lockSchema(client)
    const current = await currentGeneration(client, name)
    if (current?.kept === undefined || current.tableName === null) {
      throw nothingKept(name)
    }
    const { generation, tableName, kept } = current
    await lockCheckpoints(client, name, generation)
    await client.query(`SET LOCAL lock_timeout = '5s'`)
    await setAside(client, name, { generation, tableName })
    await client.query(`ALTER TABLE ${quote(kept.tableName)} RENAME TO ${quote(tableName)}`)
    const back = { generation: kept.generation, tableName, kept: aside({ generation, tableName }) }
    await setGeneration(client, name, back)
  })
}

/** Under which name a table is kept. */
function aside({ generation, tableName }: TableGeneration): TableGeneration {
  return { generation, tableName: `${tableName}__g${generation}` }
}

/** Whoever follows it knows it by its present name, under which there is another table in a moment: he must not commit again. */
async function setAside(client: ClientBase, projection: string, present: TableGeneration): Promise<void> {
  await endSessions(client, projection, present.generation)
  await client.query(`ALTER TABLE ${quote(present.tableName)} RENAME TO ${quote(aside(present).tableName)}`)
}

function underWay(name: string, differences: readonly string[]): NarrativeError<'REBUILD_UNDER_WAY'> {
  return new NarrativeError('REBUILD_UNDER_WAY', {
    message: `Projection ${name} is being rebuilt with another table: ${differences.join('; ')}. Wait for that rebuild or end it.`,
    details: { projection: name },
  })
}

/** Two who finish the same table make the same index, or one has put the table in place meanwhile. */
function isCollision(error: unknown): boolean {
  const { code } = error as { readonly code?: unknown }
  return code === '23505' || code === '42P07' || code === '42P01' // unique_violation, duplicate_table, undefined_table
}

/** Passes: the next attempt finds what the other one did. */
function beingFinished(name: string, cause: unknown): NarrativeError<'REBUILD_UNDER_WAY'> {
  return new NarrativeError('REBUILD_UNDER_WAY', {
    message: `Somebody else is finishing the same build of projection ${name}.`,
    details: { projection: name },
    cause,
  })
}
