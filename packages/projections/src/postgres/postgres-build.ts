// A new generation of a projection's tables, built beside the old ones under other names by all who rebuild it, and the one transaction
// that switches.
import { type Checkpoint, NarrativeError } from '@narrative/core'
import type { ClientBase, Pool } from 'pg'
import type { BoundProjection } from '../definition/bind-projection.js'
import { tablesOf } from '../definition/projection-definition.js'
import type { BuildOptions, ViewBuild } from '../runtime/read-models.js'
import { nothingKept } from '../runtime/stopped.js'
import { BuildLock } from './build-lock.js'
import { beginBuild, endBuild, isCancelled, readBuild } from './builds.js'
import { endSessions, lockCheckpoints, lockSchema, readCheckpoints } from './checkpoints.js'
import { currentGeneration, dropGeneration, setGeneration, type TableGeneration } from './generations.js'
import { lockTables } from './lock-tables.js'
import { openPostgresTable } from './postgres-table.js'
import { differencesOf, makeIndexes } from './table-setup.js'
import { quote } from './table-statements.js'
import { transaction } from './transaction.js'

/**
 * Begins a build, goes on with one that was left behind, or joins those who are at it.
 * @throws NarrativeError `REBUILD_UNDER_WAY` when others are building other tables
 */
export async function buildPostgresTable(
  pool: Pool,
  projection: BoundProjection,
  { resume, keepOld }: BuildOptions,
): Promise<ViewBuild> {
  const { name } = projection
  const lock = await BuildLock.take(pool, name)
  const build = await prepare(pool, lock, projection, resume).catch(async (error: unknown) => {
    await lock.release()
    throw error
  })
  const { generation, tableNames } = build
  const declared = tablesOf(projection.target)
  const tables = declared.map((table, i) => ({ table, name: tableNames[i]! }))

  return {
    group: `rebuild.${name}.${generation}`,
    checkpoints: () => readCheckpoints(pool, name, generation),
    open: (partitions) => openPostgresTable(pool, { projection, generation, tables }, partitions),
    async publish(catchUp: (old: readonly Checkpoint[]) => Promise<void>) {
      await transaction(pool, async (client) => {
        const current = await currentGeneration(client, name)
        if ((current?.generation ?? 0) >= generation) return
        for (const { table, name: built } of tables) await makeIndexes(client, table, built)
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
        await lockTables(client, old?.tableNames ?? [])
        if (old?.kept !== undefined) await dropGeneration(client, name, old.kept)
        if (old !== undefined && keepOld) await setAside(client, name, old)
        else if (old !== undefined) await dropGeneration(client, name, old)
        for (const { table, name: built } of tables) await rename(client, built, table.name)
        const kept = old !== undefined && keepOld ? aside(old) : undefined
        await setGeneration(client, name, { generation, tableNames: declared.map((table) => table.name), kept })
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
  projection: BoundProjection,
  resume: boolean,
): Promise<TableGeneration> {
  const { name } = projection
  const found = await transaction(pool, async (client) => {
    await lockSchema(client)
    const left = await readBuild(client, name)
    if (left !== undefined && (resume || !lock.alone)) {
      const differences = await differencesOfAll(client, projection, left)
      if (differences.length === 0) return left
      if (!lock.alone) throw underWay(name, differences)
    }
    if (left !== undefined) await dropGeneration(client, name, left)
    return await beginBuild(client, projection)
  })
  // From here on others may join.
  await lock.share()
  return found
}

/** How tables that were begun differ from what is declared now. */
async function differencesOfAll(
  client: ClientBase,
  { target }: BoundProjection,
  { generation, tableNames }: TableGeneration,
): Promise<readonly string[]> {
  const tables = tablesOf(target)
  const wanted = tables.map(({ name }) => `${name}__g${generation}`)
  if (wanted.join() !== tableNames.join()) return [`it was begun with the tables ${tableNames.join(', ')}`]
  const differences: string[] = []
  for (const [i, table] of tables.entries()) differences.push(...(await differencesOf(client, table, tableNames[i])))
  return differences
}

/**
 * Puts the kept tables in the place of the present ones, and keeps those.
 * @throws NarrativeError `NOTHING_KEPT`
 */
export async function switchBackPostgresTable(pool: Pool, { name }: BoundProjection): Promise<void> {
  await transaction(pool, async (client) => {
    await lockSchema(client)
    const current = await currentGeneration(client, name)
    if (current?.kept === undefined) throw nothingKept(name)
    const { generation, kept } = current
    await lockCheckpoints(client, name, generation)
    await lockTables(client, current.tableNames)
    await setAside(client, name, current)
    const tableNames = kept.tableNames.map((each) => each.slice(0, each.lastIndexOf('__g')))
    for (const [i, each] of kept.tableNames.entries()) await rename(client, each, tableNames[i]!)
    await setGeneration(client, name, { generation: kept.generation, tableNames, kept: aside(current) })
  })
}

/** Under which names tables are kept. */
function aside({ generation, tableNames }: TableGeneration): TableGeneration {
  return { generation, tableNames: tableNames.map((name) => `${name}__g${generation}`) }
}

/** Whoever follows them knows them by their present names, under which there are others in a moment: he must not commit again. */
async function setAside(client: ClientBase, projection: string, present: TableGeneration): Promise<void> {
  await endSessions(client, projection, present.generation)
  const { tableNames } = aside(present)
  for (const [i, name] of present.tableNames.entries()) await rename(client, name, tableNames[i]!)
}

async function rename(client: ClientBase, from: string, to: string): Promise<void> {
  await client.query(`ALTER TABLE ${quote(from)} RENAME TO ${quote(to)}`)
}

function underWay(name: string, differences: readonly string[]): NarrativeError<'REBUILD_UNDER_WAY'> {
  return new NarrativeError('REBUILD_UNDER_WAY', {
    message: `Projection ${name} is being rebuilt with other tables: ${differences.join('; ')}. Wait for that rebuild or end it.`,
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
