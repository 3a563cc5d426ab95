// The tables of the runtime's own, and in them how far each generation of a view has come.
import type { Checkpoint } from '@narrative/core'
import type { ClientBase, Pool } from 'pg'
import type { Move } from '../runtime/table-storage.js'
import type { Place } from '../runtime/work-share.js'
import type { SqlType } from '../table/column-type.js'
import { binaryArray } from './binary-array.js'
import { createDeadLetters } from './dead-letter-table.js'
import { amongPlaces, placesOf } from './places.js'
import { queryIfSetUp } from './transaction.js'
import { createWorkers } from './worker-table.js'

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
    table_name text,
    kept_generation integer,
    kept_table text,
    paused boolean NOT NULL DEFAULT false,
    wake integer NOT NULL DEFAULT 0
  )`)
  await client.query(`CREATE TABLE IF NOT EXISTS narrative_builds (
    projection text PRIMARY KEY,
    generation integer NOT NULL,
    table_name text NOT NULL,
    began_at timestamptz NOT NULL DEFAULT now(),
    cancelled boolean NOT NULL DEFAULT false
  )`)
  await client.query(`CREATE TABLE IF NOT EXISTS narrative_checkpoints (
    projection text NOT NULL,
    generation integer NOT NULL,
    topic text NOT NULL,
    partition integer NOT NULL,
    "offset" bigint NOT NULL,
    claim text,
    revision bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (projection, generation, topic, partition)
  )`)
  await client.query(createDeadLetters)
  await client.query(createWorkers)
}

/** How far a generation has come, default the one that is read, without waiting for anybody. */
export async function readCheckpoints(
  pool: Pool,
  projection: string,
  generation?: number,
): Promise<readonly Checkpoint[]> {
  const { rows } = await queryIfSetUp(
    pool,
    `SELECT topic, partition, "offset", claim FROM narrative_checkpoints WHERE projection = $1
     AND generation = coalesce($2, (SELECT generation FROM narrative_projections WHERE projection = $1))`,
    [projection, generation ?? null],
  )
  return rows.map(({ topic, partition, offset, claim }) => ({ topic, partition, offset: Number(offset), claim }))
}

/** Adds checkpoints at offset 0 for partitions that have none yet. */
export async function beginCheckpoints(
  client: ClientBase,
  projection: string,
  generation: number,
  partitions: readonly Place[],
): Promise<void> {
  await client.query(
    `INSERT INTO narrative_checkpoints (projection, generation, topic, partition, "offset")
     SELECT $1, $2, p.topic, p.partition, 0 FROM unnest($3::text[], $4::int4[]) AS p(topic, partition) ON CONFLICT DO NOTHING`,
    [
      projection,
      generation,
      ...columnsOf(partitions, [
        ['text', ({ topic }) => topic],
        ['integer', ({ partition }) => partition],
      ]),
    ],
  )
}

/**
 * Reads the checkpoints of a generation and holds them until the transaction ends.
 *
 * The lock is also what a worker waits for whose connection was lost during a commit: if that transaction still lives in
 * the server, it holds the rows, and its outcome is read instead of guessed.
 * @param partitions only those; default all
 */
export async function lockCheckpoints(
  client: ClientBase,
  projection: string,
  generation: number,
  partitions?: readonly Place[],
): Promise<readonly StoredCheckpoint[]> {
  const { rows } = await client.query(
    `SELECT topic, partition, "offset", claim, revision FROM narrative_checkpoints WHERE projection = $1 AND generation = $2
       AND ($3::json IS NULL OR ${amongPlaces('$3')}) ORDER BY topic, partition FOR UPDATE`,
    [projection, generation, partitions === undefined ? null : placesOf(partitions)],
  )
  return rows.map(({ topic, partition, offset, claim, revision }) => ({
    checkpoint: { topic, partition, offset: Number(offset), claim },
    revision: Number(revision),
  }))
}

/** A checkpoint as it is stored. */
export interface StoredCheckpoint {
  readonly checkpoint: Checkpoint
  /**
   * Counts what was committed under it. A redrive writes rows and leaves the offset where it is: by the offset alone, a worker that
   * slept through it would not notice.
   */
  readonly revision: number
}

/** A move, and the revision it starts from. */
export interface RevisedMove extends Move {
  readonly revision: number
}

/** Moves checkpoints that are where they are expected; returns how many were. */
export async function moveCheckpoints(
  client: ClientBase,
  projection: string,
  generation: number,
  moves: readonly RevisedMove[],
): Promise<number> {
  const { rowCount } = await client.query(
    `UPDATE narrative_checkpoints AS c SET "offset" = m.next, claim = m.claim, revision = m.revision + 1
     FROM unnest($3::text[], $4::int4[], $5::int8[], $6::int8[], $7::text[], $8::int8[])
       AS m(topic, partition, old, next, claim, revision)
     WHERE c.projection = $1 AND c.generation = $2 AND c.topic = m.topic AND c.partition = m.partition
       AND c."offset" = m.old AND c.revision = m.revision`,
    [
      projection,
      generation,
      ...columnsOf(moves, [
        ['text', ({ to }) => to.topic],
        ['integer', ({ to }) => to.partition],
        ['bigint', ({ from }) => from],
        ['bigint', ({ to }) => to.offset],
        ['text', ({ to }) => to.claim],
        ['bigint', ({ revision }) => revision],
      ]),
    ],
  )
  return rowCount ?? 0
}

/** One array per column. */
function columnsOf<T>(rows: readonly T[], columns: readonly (readonly [SqlType, (row: T) => unknown])[]): Buffer[] {
  return columns.map(([type, value]) => binaryArray(type, rows.map(value)))
}

/** Has every session of a generation fail at its next commit, without moving anything. */
export async function endSessions(client: ClientBase, projection: string, generation: number): Promise<void> {
  await client.query(
    'UPDATE narrative_checkpoints SET revision = revision + 1 WHERE projection = $1 AND generation = $2',
    [projection, generation],
  )
}

/** Forgets how far a generation was, and what it had parked. */
export async function dropCheckpoints(client: ClientBase, projection: string, generation: number): Promise<void> {
  for (const table of ['narrative_checkpoints', 'narrative_dead_letters']) {
    await client.query(`DELETE FROM ${table} WHERE projection = $1 AND generation = $2`, [projection, generation])
  }
}
