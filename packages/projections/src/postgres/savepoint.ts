// Work within a transaction that can be taken back by itself.
import type { ClientBase } from 'pg'
import { isPassing } from './transaction.js'

/**
 * Does some work under a savepoint; when it fails, the transaction goes on as if it had not been begun.
 * @returns why it failed, if it did
 * @throws what says that Postgres is away
 */
export async function refusalOf(
  client: ClientBase,
  work: () => Promise<void>,
): Promise<{ readonly error: unknown } | undefined> {
  await client.query('SAVEPOINT attempt')
  try {
    await work()
    // What is checked at the end of a transaction is to be found out now.
    await client.query('SET CONSTRAINTS ALL IMMEDIATE')
    await client.query('RELEASE SAVEPOINT attempt')
    return undefined
  } catch (error) {
    if (isPassing(error)) throw error
    await client.query('ROLLBACK TO SAVEPOINT attempt')
    return { error: isAborted(error) ? swallowed() : error }
  }
}

/** Work within a transaction as if it were one itself. */
export async function nested<T>(client: ClientBase, work: (client: ClientBase) => Promise<T>): Promise<T> {
  await client.query('SAVEPOINT nested')
  try {
    const result = await work(client)
    await client.query('RELEASE SAVEPOINT nested')
    return result
  } catch (error) {
    await client.query('ROLLBACK TO SAVEPOINT nested')
    throw isAborted(error) ? swallowed() : error
  }
}

/** in_failed_sql_transaction: a statement failed before, and somebody caught its error. */
function isAborted(error: unknown): boolean {
  return (error as { code?: unknown } | undefined)?.code === '25P02'
}

function swallowed(): TypeError {
  return new TypeError(
    'a statement of this transaction failed and its error was caught, so Postgres keeps nothing of it',
  )
}
