// A new generation of a free-SQL projection, built beside the old one in a schema of its own: the projection's own statements, with that
// schema first in the search path. In the end its tables, views and sequences move to where the old ones are.
import { createHash } from 'node:crypto'
import type { ClientBase, Pool } from 'pg'
import type { BoundProjection } from '../definition/bind-projection.js'
import type { BuildOptions, SqlBuild } from '../runtime/read-models.js'
import { nothingKept } from '../runtime/stopped.js'
import { noteBuild } from './builds.js'
import { endSessions, lockCheckpoints, lockSchema } from './checkpoints.js'
import {
  currentGeneration,
  dropGeneration,
  holdGeneration,
  nextGeneration,
  schemasOf,
  setGeneration,
} from './generations.js'
import { lockQuoted } from './lock-tables.js'
import { postgresBuild } from './postgres-build.js'
import { type Atomically, openPostgresSql } from './postgres-sql.js'
import { assertFree, hasOthers, namesOfOld, type Relation, relationsIn, replaceRelations } from './relations.js'
import { transaction } from './transaction.js'

/** @returns undefined when nothing can be beside: the setup names its schema, makes what cannot be moved, or no schema can be made */
export async function buildPostgresSql(
  pool: Pool,
  projection: BoundProjection,
  { resume, keepOld }: BuildOptions,
): Promise<SqlBuild | undefined> {
  const { name, target } = projection
  if (target.kind !== 'sql') throw new TypeError(`Projection ${name} has no SQL of its own.`)
  const { setup } = target.schema
  const schemaFor = await schemasOf(pool, name)
  try {
    const { build, of } = await postgresBuild(pool, name, resume, {
      async begin(client) {
        const generation = nextGeneration(await currentGeneration(client, name))
        const schema = schemaFor({ generation })
        const { rows } = await client.query(`SELECT has_database_privilege(current_database(), 'CREATE') AS may`)
        if (!rows[0].may) throw new NothingBeside()
        await client.query(`CREATE SCHEMA ${schema}`)
        await client.query(`COMMENT ON SCHEMA ${schema} IS '${digestOf(setup)}'`)
        await within(client, schema, () => client.query(setup))
        const relations = await relationsIn(client, schema)
        if (relations.length === 0 || (await hasOthers(client, schema))) throw new NothingBeside()
        await assertFree(client, name, namesOfOld(relations))
        return noteBuild(client, name, { generation, tableNames: [] })
      },
      async differences(client, left) {
        const { rows } = await client.query(`SELECT obj_description(to_regnamespace($1), 'pg_namespace') AS digest`, [
          schemaFor(left),
        ])
        return rows[0].digest === digestOf(setup) ? [] : ['its setup is another one']
      },
      complete: async () => {},
      async replace(client, of, old) {
        if (old?.kept !== undefined) await dropGeneration(client, name, old.kept)
        const kept = keepOld && old !== undefined ? { generation: old.generation, tableNames: [] } : undefined
        if (kept !== undefined) await endSessions(client, name, kept.generation)
        const schema = schemaFor(of)
        await putInPlace(client, schema, await relationsIn(client, schema), kept && schemaFor(kept))
        if (old !== undefined && kept === undefined) await dropGeneration(client, name, old)
        return { ...of, kept }
      },
    })
    const schema = schemaFor(of)
    const atomically: Atomically = (work) =>
      transaction(pool, async (client) => {
        const result = await within(client, schema, () => work(client))
        await assertInside(client, schema)
        return result
      })
    return { ...build, open: openPostgresSql(pool, projection, { generation: of.generation, atomically }) }
  } catch (error) {
    if (error instanceof NothingBeside) return undefined
    throw error
  }
}

/**
 * Puts the relations that a rebuild kept in the place of the present ones, and keeps those.
 * @throws NarrativeError `NOTHING_KEPT`
 */
export async function switchBackPostgresSql(pool: Pool, { name }: BoundProjection): Promise<void> {
  await transaction(pool, async (client) => {
    await lockSchema(client)
    const current = await holdGeneration(client, name, 'UPDATE')
    if (current?.kept === undefined) throw nothingKept(name)
    const present = { generation: current.generation, tableNames: [] }
    await lockCheckpoints(client, name, present.generation)
    const schemaFor = await schemasOf(client, name)
    const schema = schemaFor(current.kept)
    const relations = await relationsIn(client, schema)
    await assertFree(client, name, namesOfOld(relations))
    // Whoever follows the present ones knows them by the names that the kept ones get: he must not commit again.
    await endSessions(client, name, present.generation)
    await putInPlace(client, schema, relations, schemaFor(present))
    await setGeneration(client, name, { ...current.kept, kept: present })
  })
}

/** Moves all there is in a schema to where it is read. */
async function putInPlace(
  client: ClientBase,
  schema: string,
  relations: readonly Relation[],
  keepIn: string | undefined,
): Promise<void> {
  await lockQuoted(
    client,
    relations.flatMap(({ old }) => (old?.kind === 'TABLE' ? [old.name] : [])),
  )
  await replaceRelations(client, relations, keepIn)
  await client.query(`DROP SCHEMA ${schema}`)
}

class NothingBeside extends Error {}

function digestOf(setup: string): string {
  return createHash('sha256').update(setup).digest('hex')
}

/** Names without a schema mean what is in this one, if there is such a thing there; the rest is found as always. */
async function within<T>(client: ClientBase, schema: string, work: () => Promise<T>): Promise<T> {
  const { rows } = await client.query(`SELECT current_setting('search_path') AS path`)
  const set = (path: string) => client.query(`SELECT set_config('search_path', $1, true)`, [path])
  const { path } = rows[0]
  await set(path === '' ? schema : `${schema}, ${path}`)
  const result = await work()
  await set(path)
  return result
}

/** A name with a schema reaches the view that is being read: better nothing than that. Who writes to a table has a lock on it until the end. */
async function assertInside(client: ClientBase, schema: string): Promise<void> {
  const { rows } = await client.query(
    `SELECT c.oid::regclass::text AS name FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
     JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation' AND c.relkind IN ('r', 'p')
       AND l.mode IN ('RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
       AND n.nspname <> $1 AND n.nspname NOT LIKE 'pg\\_%' AND c.relname NOT LIKE 'narrative\\_%' LIMIT 1`,
    [schema],
  )
  if (rows.length === 0) return
  throw new TypeError(
    `a handler wrote to table ${rows[0].name}, which is not among those that are being built; in the setup and the handlers, name tables without a schema, and write to no others`,
  )
}
