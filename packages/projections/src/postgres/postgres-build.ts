// A new generation of a table, built beside the old one under another name, and the one transaction that switches.
import { type Checkpoint, NarrativeError } from '@narrative/core'
import type { Pool } from 'pg'
import type { BoundProjection } from '../definition/bind-projection.js'
import type { ViewBuild } from '../runtime/read-models.js'
import type { Table } from '../table/table.js'
import {
  createRuntimeTables,
  currentGeneration,
  dropCheckpoints,
  lockCheckpoints,
  lockSchema,
  setGeneration,
} from './checkpoints.js'
import { openPostgresTable } from './postgres-table.js'
import { makeIndexes, makeTable, tableExists } from './table-setup.js'
import { quote } from './table-statements.js'
import { connect, transaction } from './transaction.js'

/**
 * Begins a build. A build that a crash left behind is thrown away and begun again.
 * @throws NarrativeError `REBUILD_UNDER_WAY`
 */
export async function buildPostgresTable(pool: Pool, projection: BoundProjection, table: Table): Promise<ViewBuild> {
  const { name } = projection
  // A lock of the session: it goes when the connection goes, so a killed rebuild leaves nothing locked.
  const guard = await connect(pool)
  const onError = () => {}
  guard.on('error', onError)
  const release = async () => {
    // Ending the connection would unlock as well, but a moment after we have said that we are done.
    await guard.query('SELECT pg_advisory_unlock_all()').catch(onError)
    guard.off('error', onError)
    guard.release(true)
  }
  const { rows } = await guard.query('SELECT pg_try_advisory_lock(hashtext($1), hashtext($2)) AS locked', [
    'narrative rebuild',
    name,
  ])
  if (!rows[0].locked) {
    await release()
    throw new NarrativeError('REBUILD_UNDER_WAY', {
      message: `Projection ${name} is being rebuilt already; wait for that rebuild or end it.`,
      details: { projection: name },
    })
  }

  const old = await transaction(pool, async (client) => {
    await lockSchema(client)
    await createRuntimeTables(client)
    const current = await currentGeneration(client, name)
    if (current === undefined && (await tableExists(client, table.name))) {
      throw new NarrativeError('STARTUP_FAULTS', {
        message: `Table ${table.name} was not made by projection ${name}, so a rebuild will not replace it. Rename it, or name another table.`,
      })
    }
    const generation = (current?.generation ?? 0) + 1
    const buildName = `${table.name}__g${generation}`
    await client.query(`DROP TABLE IF EXISTS ${quote(buildName)}`)
    await dropCheckpoints(client, name, generation)
    await makeTable(client, table, buildName)
    return { generation: current?.generation ?? 0, tableName: current?.tableName ?? table.name }
  }).catch(async (error: unknown) => {
    await release()
    throw error
  })
  const generation = old.generation + 1
  const buildName = `${table.name}__g${generation}`
  let published = false

  return {
    open: (partitions) => openPostgresTable(pool, { projection, table, generation, tableName: buildName }, partitions),
    async publish(catchUp: (old: readonly Checkpoint[]) => Promise<void>) {
      await transaction(pool, (client) => makeIndexes(client, table, buildName))
      await transaction(pool, async (client) => {
        await lockSchema(client)
        // An earlier attempt may have succeeded although its answer was lost.
        if ((await currentGeneration(client, name))?.generation === generation) return
        // Holds the worker of the old generation, so that the new one can come level and readers never see time go back.
        await catchUp((await lockCheckpoints(client, name, old.generation)).map(({ checkpoint }) => checkpoint))
        await dropCheckpoints(client, name, old.generation)
        // Waiting for a long reader makes all later readers wait as well: rather give way and try again.
        await client.query(`SET LOCAL lock_timeout = '5s'`)
        await client.query(`DROP TABLE IF EXISTS ${quote(old.tableName)}`)
        await client.query(`ALTER TABLE ${quote(buildName)} RENAME TO ${quote(table.name)}`)
        await setGeneration(client, name, generation, table.name)
      })
      published = true
    },
    async close() {
      try {
        if (published) return
        await transaction(pool, async (client) => {
          await lockSchema(client)
          await client.query(`DROP TABLE IF EXISTS ${quote(buildName)}`)
          await dropCheckpoints(client, name, generation)
        })
      } finally {
        await release()
      }
    },
  }
}
