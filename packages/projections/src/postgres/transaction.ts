// One transaction on one connection, and which failures pass by themselves.
import { NarrativeError } from '@narrative/core'
import type { ClientBase, Pool, PoolClient } from 'pg'
import { reasonOf } from '../runtime/stopped.js'

/**
 * SQLSTATE classes and codes (PostgreSQL documentation, appendix A) that say nothing about the statement: lost and refused connections (08, 28, 3D),
 * serialization failures and deadlocks (40), exhausted resources (53), lock timeouts (55P03), operator intervention such as a shutdown
 * (57), input/output errors (58), an idle transaction that was ended (25P03), a server that takes no writes (25006).
 */
const passing = /^(08...|28...|3D...|40...|53...|55P03|57...|58...|25P03|25006)$/

/** Whether Postgres, not the statement, is why something failed. */
export function isPassing(error: unknown): boolean {
  const code = (error as { code?: unknown } | undefined)?.code
  return typeof code === 'string' && passing.test(code)
}

/** Borrows a connection; a failure to get one is Postgres being away. */
export async function connect(pool: Pool): Promise<PoolClient> {
  try {
    return await pool.connect()
  } catch (error) {
    throw unreachable(error)
  }
}

/**
 * Runs `work` in a transaction.
 *
 * @throws NarrativeError `POSTGRES_UNREACHABLE` when Postgres is the cause (then it is unknown whether a commit took place); otherwise
 * what `work` threw
 */
export async function transaction<T>(pool: Pool, work: (client: ClientBase) => Promise<T>): Promise<T> {
  const client = await connect(pool)
  // A connection that breaks between two statements says so by this event alone; without a listener it would end the process.
  let broken: Error | undefined
  const onError = (error: Error) => {
    broken = error
  }
  client.on('error', onError)
  try {
    await client.query('BEGIN')
    const result = await work(client)
    const { command } = await client.query('COMMIT')
    if (command === 'COMMIT') return result
    // A statement failed and somebody swallowed its error: Postgres then answers COMMIT with a rollback.
    throw new TypeError(
      'a statement of this transaction failed and its error was caught; Postgres rolled the transaction back',
    )
  } catch (error) {
    // An answer to ROLLBACK is the proof that the connection lives, and so that the error is about the work.
    await client.query('ROLLBACK').catch((rollback: Error) => {
      broken ??= rollback
    })
    throw broken !== undefined || isPassing(error) ? unreachable(error) : error
  } finally {
    client.off('error', onError)
    client.release(broken)
  }
}

/** Runs one statement outside of a transaction; errors as in {@link transaction}. */
export async function query(
  pool: Pool,
  text: string | object,
  values?: readonly unknown[],
): Promise<{ rows: any[]; rowCount: number | null }> {
  try {
    return await pool.query(text as string, values as unknown[])
  } catch (error) {
    // Errors with an SQLSTATE come from a server that is there; anything else is the way to it.
    const fromServer = typeof (error as { severity?: unknown }).severity === 'string'
    throw fromServer && !isPassing(error) ? error : unreachable(error)
  }
}

/** The same, of tables that the first start of a service creates: nothing while there was none. */
export async function queryIfSetUp(
  ...statement: Parameters<typeof query>
): Promise<{ rows: any[]; rowCount: number | null }> {
  try {
    return await query(...statement)
  } catch (error) {
    if ((error as { code?: unknown }).code !== undefinedTable) throw error
    return { rows: [], rowCount: 0 }
  }
}

const undefinedTable = '42P01'

/** Postgres being away, or not carrying on. */
export function unreachable(cause: unknown): NarrativeError {
  if (cause instanceof NarrativeError && cause.retryable) return cause
  return new NarrativeError('POSTGRES_UNREACHABLE', {
    message: `Postgres does not answer as it should: ${describe(cause)}. Projections try again until it does; nothing is lost.`,
    details: { sqlState: (cause as { code?: unknown })?.code },
    cause,
  })
}

function describe(cause: unknown): string {
  // A refused connection to a host with several addresses is an AggregateError without a message.
  if (cause instanceof AggregateError && cause.message === '') return cause.errors.map(reasonOf).join('; ')
  return reasonOf(cause)
}
