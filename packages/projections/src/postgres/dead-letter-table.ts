// Dead letters in Postgres: one row for each event and key, written in the transaction that moves the checkpoint over them.
import type { MessageMetadata } from '@narrative/core'
import type { ClientBase, Pool } from 'pg'
import type { AskedLetter, DeadLetter, DeadLetters, LetterChoice, LetterPlace, Wish } from '../failures/dead-letter.js'
import type { LetterChanges } from '../runtime/table-storage.js'
import type { Place } from '../runtime/work-share.js'
import { amongPlaces, placesOf } from './places.js'
import { query, queryIfSetUp } from './transaction.js'

export const createDeadLetters = `CREATE TABLE IF NOT EXISTS narrative_dead_letters (
  projection text NOT NULL,
  generation integer NOT NULL,
  topic text NOT NULL,
  partition integer NOT NULL,
  "offset" bigint NOT NULL,
  key text NOT NULL,
  stream_id text NOT NULL,
  version integer NOT NULL,
  event_id text NOT NULL,
  event_type text NOT NULL,
  schema_version integer NOT NULL,
  content_type text NOT NULL,
  data bytea NOT NULL,
  time bigint NOT NULL,
  metadata json NOT NULL,
  is_replay boolean NOT NULL,
  attempts integer NOT NULL,
  code text,
  error text,
  handler text,
  parked_at bigint NOT NULL,
  wish text,
  PRIMARY KEY (projection, generation, topic, partition, "offset", key)
)`

const columns = `topic, partition, "offset", key, stream_id, version, event_id, event_type, schema_version, content_type, data,
  time, metadata, is_replay, attempts, code, error, handler, parked_at, wish`
const inOrder = 'ORDER BY topic, partition, "offset", key'

/** Letters redriven in one transaction. */
const atOnce = 500

/** Which letters: of a projection's generation. */
interface GenerationOf {
  readonly projection: string
  readonly generation: number
}

/** The places of all letters of some partitions. */
export async function readParked(
  client: ClientBase,
  { projection, generation }: GenerationOf,
  partitions: readonly Place[],
): Promise<readonly LetterPlace[]> {
  const { rows } = await client.query(
    `SELECT topic, partition, "offset", key FROM narrative_dead_letters
     WHERE projection = $1 AND generation = $2 AND ${amongPlaces('$3')} ${inOrder}`,
    [projection, generation, placesOf(partitions)],
  )
  return rows.map((row) => ({ ...row, offset: Number(row.offset) }))
}

/** Letters of some partitions of which something was asked; all of them are to be redriven when `all` is set. */
export async function readAsked(
  pool: Pool,
  { projection, generation }: GenerationOf,
  partitions: readonly Place[],
  all: boolean,
): Promise<readonly AskedLetter[]> {
  const { rows } = await query(
    pool,
    `SELECT ${columns} FROM narrative_dead_letters
     WHERE projection = $1 AND generation = $2 AND ${amongPlaces('$3')} AND ($4 OR wish IS NOT NULL) ${inOrder} LIMIT ${atOnce}`,
    [projection, generation, placesOf(partitions), all],
  )
  return rows.map((row) => ({ letter: toLetter(row), wish: row.wish ?? 'redrive' }))
}

/** Removes the letters that are settled, then adds the parked ones. */
export async function changeLetters(
  client: ClientBase,
  { projection, generation }: GenerationOf,
  { settled, parked }: LetterChanges,
): Promise<void> {
  if (settled.length > 0) {
    const places = settled.map(({ topic, partition, offset, key }) => ({ topic, partition, offset, key }))
    await client.query(
      `DELETE FROM narrative_dead_letters AS d
       USING json_to_recordset($3) AS s(topic text, partition integer, "offset" bigint, key text)
       WHERE d.projection = $1 AND d.generation = $2
         AND (d.topic, d.partition, d."offset", d.key) = (s.topic, s.partition, s."offset", s.key)`,
      [projection, generation, JSON.stringify(places)],
    )
  }
  if (parked.length === 0) return
  await client.query(
    `INSERT INTO narrative_dead_letters (projection, generation, ${columns})
     SELECT $1, $2, topic, partition, "offset", key, stream_id, version, event_id, event_type, schema_version, content_type,
       decode(data, 'base64'), time, metadata, is_replay, attempts, code, error, handler, parked_at, NULL
     FROM json_to_recordset($3) AS l(topic text, partition integer, "offset" bigint, key text, stream_id text, version integer,
       event_id text, event_type text, schema_version integer, content_type text, data text, time bigint, metadata json,
       is_replay boolean, attempts integer, code text, error text, handler text, parked_at bigint)`,
    [projection, generation, JSON.stringify(parked.map(fromLetter))],
  )
}

/** The desk at which people ask for dead letters: those of the generation that is read, and of one that is being built. */
export function postgresDeadLetters(pool: () => Promise<Pool>, projection: string): DeadLetters {
  const present = (table: string) => `SELECT generation FROM ${table} WHERE projection = $1`
  const shown = `projection = $1 AND generation IN (${present('narrative_projections')} UNION ALL ${present('narrative_builds')})`
  return {
    async list({ key, position: at, limit = 100 } = {}) {
      const { rows } = await queryIfSetUp(
        await pool(),
        `SELECT ${columns}, generation, generation IN (${present('narrative_builds')}) AS building FROM narrative_dead_letters
         WHERE ${shown} AND ($2::text IS NULL OR key = $2)
           AND ($3::text IS NULL OR (topic, partition, "offset") = ($3, $4::integer, $5::bigint))
         ORDER BY building, topic, partition, "offset", key LIMIT $6`,
        [projection, key ?? null, at?.topic ?? null, at?.partition ?? null, at?.offset ?? null, limit],
      )
      return rows.map((row) => ({ ...toLetter(row), generation: row.generation, building: row.building }))
    },
    async count() {
      const { rows } = await queryIfSetUp(await pool(), `SELECT count(*) FROM narrative_dead_letters WHERE ${shown}`, [
        projection,
      ])
      return Number(rows[0]?.count ?? 0)
    },
    async ask(wish: Wish, which: LetterChoice) {
      const key = which !== 'all' && 'key' in which ? which.key : null
      const at = which !== 'all' && 'position' in which ? which.position : undefined
      const { rowCount } = await queryIfSetUp(
        await pool(),
        `UPDATE narrative_dead_letters SET wish = $2 WHERE ${shown} AND ($3::text IS NULL OR key = $3)
         AND ($4::text IS NULL OR (topic, partition, "offset") = ($4, $5::integer, $6::bigint))`,
        [projection, wish, key, at?.topic ?? null, at?.partition ?? null, at?.offset ?? null],
      )
      return rowCount ?? 0
    },
  }
}

function fromLetter({ event, failure, ...letter }: DeadLetter) {
  return {
    ...{ topic: letter.topic, partition: letter.partition, offset: letter.offset, key: letter.key },
    ...{ stream_id: event.streamId, version: event.version, event_id: event.id, event_type: event.type },
    ...{
      schema_version: event.schemaVersion,
      content_type: event.contentType,
      time: event.time,
      metadata: event.metadata,
    },
    data: Buffer.from(event.data.buffer, event.data.byteOffset, event.data.byteLength).toString('base64'),
    ...{ is_replay: letter.isReplay, attempts: letter.attempts, parked_at: letter.parkedAt },
    // Postgres has no text with a NUL in it, and an error may quote anything.
    ...{ code: failure?.code, handler: failure?.handler, error: failure?.message.replaceAll('\0', '\uFFFD') },
  }
}

function toLetter(row: Record<string, any>): DeadLetter {
  const { topic, partition, key } = row
  const offset = Number(row.offset)
  return {
    ...{ topic, partition, offset, key },
    event: {
      ...{ id: row.event_id, type: row.event_type, schemaVersion: row.schema_version, contentType: row.content_type },
      ...{ data: row.data as Uint8Array, streamId: row.stream_id, version: row.version, time: Number(row.time) },
      ...{ position: { topic, partition, offset }, metadata: row.metadata as MessageMetadata },
    },
    attempts: row.attempts,
    failure:
      row.error === null
        ? undefined
        : { code: row.code ?? undefined, message: row.error, handler: row.handler ?? undefined },
    parkedAt: Number(row.parked_at),
    isReplay: row.is_replay,
  }
}
