// The tables, views and sequences of a schema, and those elsewhere whose places they take.
import { NarrativeError } from '@narrative/core'
import type { ClientBase } from 'pg'

/** Something that has a name of its own; what belongs to a table (indexes, sequences of its columns) goes with it. */
export interface Relation {
  readonly kind: 'TABLE' | 'VIEW' | 'MATERIALIZED VIEW' | 'SEQUENCE'
  /** With its schema, quoted. */
  readonly name: string
  /** Where it is to be. */
  readonly home: string
  /** What has its name there. */
  readonly old: { readonly kind: Relation['kind']; readonly name: string } | undefined
}

const kindOf = (column: string) =>
  `CASE ${column} WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END`

/** The relations of a schema. Their homes are where their names lead to now, or else where a new table would be. */
export async function relationsIn(client: ClientBase, schema: string): Promise<readonly Relation[]> {
  const { rows } = await client.query(
    `SELECT ${kindOf('c.relkind')} AS kind, format('%I.%I', $1::text, c.relname) AS name,
       quote_ident(coalesce(n.nspname, current_schema())) AS home,
       ${kindOf('o.relkind')} AS old_kind, format('%I.%I', n.nspname, o.relname) AS old_name, o.oid IS NOT NULL AS is_taken
     FROM pg_class c LEFT JOIN pg_class o ON o.oid = to_regclass(quote_ident(c.relname))
     LEFT JOIN pg_namespace n ON n.oid = o.relnamespace
     WHERE c.relnamespace = to_regnamespace($1) AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
       AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND c.relkind = 'S' AND d.deptype IN ('a', 'i'))
     ORDER BY c.oid`,
    [schema],
  )
  return rows.map(({ kind, name, home, old_kind, old_name, is_taken }) => ({
    ...{ kind, name, home },
    old: is_taken ? { kind: old_kind, name: old_name } : undefined,
  }))
}

/** Whether there are functions or types, which are not moved. */
export async function hasOthers(client: ClientBase, schema: string): Promise<boolean> {
  const { rows } = await client.query(
    `SELECT EXISTS (SELECT FROM pg_proc WHERE pronamespace = to_regnamespace($1)) OR EXISTS (
       SELECT FROM pg_type t LEFT JOIN pg_class c ON c.oid = t.typrelid
       WHERE t.typnamespace = to_regnamespace($1) AND t.typelem = 0 AND coalesce(c.relkind, 'c') = 'c') AS yes`,
    [schema],
  )
  return rows[0].yes
}

/**
 * What others have put onto relations, views and foreign keys, would go on with the old ones, or keep them from going: better said before
 * the work than after it.
 * @param names quoted; those that are not there have nothing on them
 * @throws NarrativeError `STARTUP_FAULTS` with their names
 */
export async function assertFree(client: ClientBase, projection: string, names: readonly string[]): Promise<void> {
  const { rows } = await client.query(
    `WITH ours AS (SELECT to_regclass(name)::oid AS oid FROM unnest($1::text[]) AS name)
     SELECT r.ev_class::regclass::text AS name FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid
     WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass
       AND d.refobjid IN (SELECT oid FROM ours) AND r.ev_class NOT IN (SELECT oid FROM ours WHERE oid IS NOT NULL)
     UNION SELECT conrelid::regclass::text FROM pg_constraint
     WHERE contype = 'f' AND confrelid IN (SELECT oid FROM ours) AND conrelid NOT IN (SELECT oid FROM ours WHERE oid IS NOT NULL)
     ORDER BY 1`,
    [names],
  )
  if (rows.length === 0) return
  const dependents = rows.map(({ name }) => name)
  throw new NarrativeError('STARTUP_FAULTS', {
    message: `Projection ${projection} cannot be rebuilt beside its tables: ${dependents.join(', ')} depends on them and would not go with them. Drop it for the time of the rebuild, or make it in the projection's setup if that has SQL of its own.`,
    details: { projection, dependents },
  })
}

/** Of those whose places are taken, quoted. */
export function namesOfOld(relations: readonly Relation[]): readonly string[] {
  return relations.flatMap(({ old }) => (old === undefined ? [] : [old.name]))
}

/**
 * Moves the new ones to their places, with the grants that the old ones had.
 * @param keepIn the schema that the old ones move to; without it they are dropped
 */
export async function replaceRelations(
  client: ClientBase,
  relations: readonly Relation[],
  keepIn?: string,
): Promise<void> {
  const grants = await grantsOn(client, namesOfOld(relations))
  if (keepIn === undefined) await dropOld(client, relations)
  else await moveOld(client, relations, keepIn)
  for (const { kind, name, home } of relations) await client.query(`ALTER ${kind} ${name} SET SCHEMA ${home}`)
  for (const grant of grants) await client.query(grant)
}

async function dropOld(client: ClientBase, relations: readonly Relation[]): Promise<void> {
  // Views before what they show; foreign keys among tables do not mind when all are dropped at once.
  for (const kind of ['VIEW', 'MATERIALIZED VIEW', 'TABLE', 'SEQUENCE'] as const) {
    const names = relations.flatMap(({ old }) => (old?.kind === kind ? [old.name] : []))
    if (names.length > 0) await client.query(`DROP ${kind} ${names.join(', ')}`)
  }
}

async function moveOld(client: ClientBase, relations: readonly Relation[], schema: string): Promise<void> {
  await client.query(`CREATE SCHEMA ${schema}`)
  for (const { old } of relations) {
    if (old !== undefined) await client.query(`ALTER ${old.kind} ${old.name} SET SCHEMA ${schema}`)
  }
}

/**
 * What others may do with relations, as statements: to be run when new ones have these names.
 * @param names quoted
 */
export async function grantsOn(client: ClientBase, names: readonly string[]): Promise<readonly string[]> {
  const { rows } = await client.query(
    `SELECT format('GRANT %s ON %s %I.%I TO %s', a.privilege_type, CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END,
       n.nspname, c.relname, CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END) AS text
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace CROSS JOIN aclexplode(c.relacl) a
     WHERE c.oid IN (SELECT to_regclass(name) FROM unnest($1::text[]) AS name) AND a.grantee <> c.relowner`,
    [names],
  )
  return rows.map(({ text }) => text)
}
