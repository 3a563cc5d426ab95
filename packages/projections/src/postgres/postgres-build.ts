// A new generation of a projection's tables, built beside the old ones under other names by all who rebuild it, and the one transaction
// that switches.
import { type Checkpoint, NarrativeError } from '@narrative/core'
import type { ClientBase, Pool } from 'pg'
import type { BoundProjection } from '../definition/bind-projection.js'
import { tablesOf } from '../definition/projection-definition.js'
import type { Build, BuildOptions, ViewBuild } from '../runtime/read-models.js'
import { nothingKept } from '../runtime/stopped.js'
import { BuildLock } from './build-lock.js'
import { beginBuild, endBuild, isCancelled, readBuild } from './builds.js'
import { endSessions, lockCheckpoints, lockSchema, readCheckpoints } from './checkpoints.js'
import {
  type CurrentGeneration,
  currentGeneration,
  dropGeneration,
  holdGeneration,
  setGeneration,
  type TableGeneration,
} from './generations.js'
import { lockTables } from './lock-tables.js'
import { openPostgresTable } from './postgres-table.js'
import { grantsOn } from './relations.js'
import { differencesOf, makeIndexes } from './table-setup.js'
import { quote } from './table-statements.js'
import { transaction } from './transaction.js'

/** What is particular to a kind of projection. Each is done in a transaction of the build. */
export interface BuildKind {
  /** Makes what is built into, empty. */
  begin(client: ClientBase): Promise<TableGeneration>
  /** Why one that was left behind cannot be gone on with, a sentence each. */
  differences(client: ClientBase, left: TableGeneration): Promise<readonly string[]>
  /** What is cheaper when all rows are there, and need not be done while readers are held. */
  complete(client: ClientBase, build: TableGeneration): Promise<void>
  /** Puts it in the place of the old one; what is read from then on. */
  replace(client: ClientBase, build: TableGeneration, old: CurrentGeneration | undefined): Promise<CurrentGeneration>
}

/** Tables under other names, which are renamed in the end. */
export async function buildPostgresTable(
  pool: Pool,
  projection: BoundProjection,
  { resume, keepOld }: BuildOptions,
): Promise<ViewBuild> {
  const { name } = projection
  const declared = tablesOf(projection.target)
  const isDeclared = (name: string) => declared.some((table) => table.name === name)
  const tablesIn = ({ tableNames }: TableGeneration) => declared.map((table, i) => ({ table, name: tableNames[i]! }))
  const { build, of } = await postgresBuild(pool, name, resume, {
    begin: (client) => beginBuild(client, projection),
    differences: (client, left) => differencesOfAll(client, projection, left),
    async complete(client, of) {
      for (const { table, name: built } of tablesIn(of)) await makeIndexes(client, table, built)
    },
    async replace(client, of, old) {
      await lockTables(client, old?.tableNames ?? [])
      const grants = await grantsOn(client, (old?.tableNames ?? []).filter(isDeclared).map(quote))
      if (old?.kept !== undefined) await dropGeneration(client, name, old.kept)
      if (old !== undefined && keepOld) await setAside(client, name, old)
      else if (old !== undefined) await dropGeneration(client, name, old)
      for (const { table, name: built } of tablesIn(of)) await rename(client, built, table.name)
      for (const grant of grants) await client.query(grant)
      const kept = old !== undefined && keepOld ? aside(old) : undefined
      return { generation: of.generation, tableNames: declared.map((table) => table.name), kept }
    },
  })
  const { generation } = of
  const tables = tablesIn(of)
  return {
    ...build,
    open: (partitions) => openPostgresTable(pool, { projection, generation, tables }, partitions),
  }
}

/**
 * Begins a build, goes on with one that was left behind, or joins those who are at it.
 * @throws NarrativeError `REBUILD_UNDER_WAY` when others are building other tables
 */
export async function postgresBuild(
  pool: Pool,
  name: string,
  resume: boolean,
  kind: BuildKind,
): Promise<{ readonly build: Build; readonly of: TableGeneration }> {
  const lock = await BuildLock.take(pool, name)
  const of = await prepare(pool, lock, name, kind, resume).catch(async (error: unknown) => {
    await lock.release()
    throw error
  })
  const { generation } = of
  const build: Build = {
    group: `rebuild.${name}.${generation}`,
    checkpoints: () => readCheckpoints(pool, name, generation),
    async publish(catchUp: (old: readonly Checkpoint[]) => Promise<void>) {
      await transaction(pool, async (client) => {
        const current = await currentGeneration(client, name)
        if ((current?.generation ?? 0) >= generation) return
        await kind.complete(client, of)
      }).catch((error: unknown) => {
        throw isCollision(error) ? beingFinished(name, error) : error
      })
      await transaction(pool, async (client) => {
        await lockSchema(client)
        const old = await holdGeneration(client, name, 'UPDATE')
        // Another one of us was faster, or an earlier attempt succeeded although its answer was lost.
        if (old !== undefined && old.generation >= generation) return
        // Holds the worker of the old generation, so that the new one can come level and readers never see time go back.
        const held = await lockCheckpoints(client, name, old?.generation ?? 0)
        await catchUp(held.map(({ checkpoint }) => checkpoint))
        await setGeneration(client, name, await kind.replace(client, of, old))
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
          await dropGeneration(client, name, of)
          await endBuild(client, name)
        })
      } finally {
        await lock.release()
      }
    },
  }
  return { build, of }
}

async function prepare(
  pool: Pool,
  lock: BuildLock,
  name: string,
  kind: BuildKind,
  resume: boolean,
): Promise<TableGeneration> {
  const found = await transaction(pool, async (client) => {
    await lockSchema(client)
    const left = await readBuild(client, name)
    if (left !== undefined && (resume || !lock.alone)) {
      const differences = await kind.differences(client, left)
      if (differences.length === 0) return left
      if (!lock.alone) throw underWay(name, differences)
    }
    if (left !== undefined) await dropGeneration(client, name, left)
    return await kind.begin(client)
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
    const current = await holdGeneration(client, name, 'UPDATE')
    if (current?.kept === undefined) throw nothingKept(name)
    const { generation, kept } = current
    await lockCheckpoints(client, name, generation)
    await lockTables(client, current.tableNames)
    const tableNames = kept.tableNames.map((each) => each.slice(0, each.lastIndexOf('__g')))
    const grants = await grantsOn(client, current.tableNames.filter((each) => tableNames.includes(each)).map(quote))
    await setAside(client, name, current)
    for (const [i, each] of kept.tableNames.entries()) await rename(client, each, tableNames[i]!)
    for (const grant of grants) await client.query(grant)
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
