// The two tables of the runtime's own: which generation of a view is the current one, and how far each has come.
import type { Checkpoint, LogPartition } from '@narrative/core'
import type { ClientBase } from 'pg'
import type { Move } from '../runtime/table-storage.js'
import { binaryArray } from './binary-array.js'

/** Serialises all who create or change tables of read models. "narrativ" in ASCII. */
const schemaLock = '7953757206894995830'

/** Waits for everybody else who sets up or publishes, until the transaction ends. */
export async function lockSchema(client: ClientBase): Promise<void> {
  await client.query('SELECT pg_advisory_xact_lock($1::bigint)', [schemaLock])
}

export async function createRuntimeTables(client: ClientBase): Promise<void> {
  await client.query(`CREATE TABLE IF NOT EXISTS narrative_projections (
    projection text PRIMARY KEY,
    generation integer NOT NULL,
    table_name text
  )`)
  await client.query(`CREATE TABLE IF NOT EXISTS narrative_checkpoints (
    projection text NOT NULL,
    generation integer NOT NULL,
    topic text NOT NULL,
    partition integer NOT NULL,
    "offset" bigint NOT NULL,
    claim text,
    PRIMARY KEY (projection, generation, topic, partition)
  )`)
}

/** The generation that readers see, with the table it was made with. */
export async function currentGeneration(
  client: Pick<ClientBase, 'query'>,
  projection: string,
): Promise<{ readonly generation: number; readonly tableName: string | null } | undefined> {
  const { rows } = await client.query(
    'SELECT generation, table_name FROM narrative_projections WHERE projection = $1',
    [projection],
  )
  const row = rows[0] as { generation: number; table_name: string | null } | undefined
  return row && { generation: row.generation, tableName: row.table_name }
}

export async function setGeneration(
  client: ClientBase,
  projection: string,
  generation: number,
  tableName: string | null,
): Promise<void> {
  await client.query(
    `INSERT INTO narrative_projections (projection, generation, table_name) VALUES ($1, $2, $3)
     ON CONFLICT (projection) DO UPDATE SET generation = EXCLUDED.generation, table_name = EXCLUDED.table_name`,
    [projection, generation, tableName],
  )
}

/** Adds checkpoints at offset 0 for partitions that have none yet. */
export async function beginCheckpoints(
  client: ClientBase,
  projection: string,
  generation: number,
  partitions: readonly LogPartition[],
): Promise<void> {
  await client.query(
    `INSERT INTO narrative_checkpoints (projection, generation, topic, partition, "offset")
     SELECT $1, $2, p.topic, p.partition, 0 FROM unnest($3::text[], $4::int4[]) AS p(topic, partition) ON CONFLICT DO NOTHING`,
    [
      projection,
      generation,
      binaryArray(
        'text',
        partitions.map((p) => p.topic),
      ),
      binaryArray(
        'integer',
        partitions.map((p) => p.partition),
      ),
    ],
  )
}

/**
 * Reads the checkpoints of a generation and holds them until the transaction ends.
 *
 * The lock is also what a worker waits for whose connection was lost during a commit: if that transaction still lives in
 * the server, it holds the rows, and its outcome is read instead of guessed.
 */
export async function lockCheckpoints(
  client: ClientBase,
  projection: string,
  generation: number,
): Promise<readonly Checkpoint[]> {
  const { rows } = await client.query(
    `SELECT topic, partition, "offset", claim FROM narrative_checkpoints WHERE projection = $1 AND generation = $2
     ORDER BY topic, partition FOR UPDATE`,
    [projection, generation],
  )
  return rows.map(({ topic, partition, offset, claim }) => ({ topic, partition, offset: Number(offset), claim }))
}

/** Moves checkpoints that are where they are expected; returns how many were. */
export async function moveCheckpoints(
  client: ClientBase,
  projection: string,
  generation: number,
  moves: readonly Move[],
): Promise<number> {
  const { rowCount } = await client.query(
    `UPDATE narrative_checkpoints AS c SET "offset" = m.next, claim = m.claim
     FROM unnest($3::text[], $4::int4[], $5::int8[], $6::int8[], $7::text[]) AS m(topic, partition, old, next, claim)
     WHERE c.projection = $1 AND c.generation = $2 AND c.topic = m.topic AND c.partition = m.partition AND c."offset" = m.old`,
    [
      projection,
      generation,
      binaryArray(
        'text',
        moves.map(({ to }) => to.topic),
      ),
      binaryArray(
        'integer',
        moves.map(({ to }) => to.partition),
      ),
      binaryArray(
        'bigint',
        moves.map(({ from }) => from),
      ),
      binaryArray(
        'bigint',
        moves.map(({ to }) => to.offset),
      ),
      binaryArray(
        'text',
        moves.map(({ to }) => to.claim),
      ),
    ],
  )
  return rowCount ?? 0
}

export async function dropCheckpoints(client: ClientBase, projection: string, generation: number): Promise<void> {
  await client.query('DELETE FROM narrative_checkpoints WHERE projection = $1 AND generation = $2', [
    projection,
    generation,
  ])
}
