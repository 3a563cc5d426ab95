// Looks at the database, and at the tables of projections as a start would, and changes nothing.
import { type Finding, isNarrativeError } from '@narrative/core'
import type { ClientBase, Pool } from 'pg'
import type { BoundProjection } from '../definition/bind-projection.js'
import { tablesOf } from '../definition/projection-definition.js'
import type { Table } from '../table/table.js'
import { tableExists, tableFaults } from './table-setup.js'
import { transaction } from './transaction.js'

/** What a service would meet that started these projections. */
export async function inspectPostgres(
  pool: Pool,
  projections: readonly BoundProjection[],
): Promise<readonly Finding[]> {
  try {
    return await transaction(pool, async (client) => {
      await client.query('SET TRANSACTION READ ONLY')
      const { rows } = await client.query('SHOW server_version')
      const setUp = await tableExists(client, 'narrative_projections')
      const findings: Finding[] = [
        { state: 'ok', subject: 'Postgres', detail: `answers, version ${rows[0].server_version}` },
      ]
      for (const projection of projections) {
        for (const table of tablesOf(projection.target))
          findings.push(...(await inspectTable(client, projection, table, setUp)))
      }
      return findings
    })
  } catch (error) {
    // A refusal by Postgres, such as a missing permission, has a severity.
    const isFinding = isNarrativeError(error) || typeof (error as { severity?: unknown }).severity === 'string'
    if (!isFinding) throw error
    return [{ state: 'fault', subject: 'Postgres', detail: (error as Error).message }]
  }
}

async function inspectTable(
  client: ClientBase,
  projection: BoundProjection,
  table: Table,
  setUp: boolean,
): Promise<readonly Finding[]> {
  const subject = `table ${table.name}`
  if (!setUp) {
    const detail = `no projection was ever started in this database; the first start of ${projection.name} creates it`
    return [{ state: 'warning', subject, detail }]
  }
  const faults = await tableFaults(client, projection, table)
  if (faults.length > 0) return faults.map((detail) => ({ state: 'fault', subject, detail }))
  if (await tableExists(client, table.name))
    return [{ state: 'ok', subject, detail: `is what ${projection.name} declares` }]
  return [{ state: 'warning', subject, detail: `is not there yet; the first start of ${projection.name} creates it` }]
}
