// Keeps readers out of the tables of a view for the moment in which others take their places.
import { setTimeout as delay } from 'node:timers/promises'
import type { ClientBase } from 'pg'
import { tableExists } from './table-setup.js'
import { quote } from './table-statements.js'

/** How often to look for a moment without readers, ten milliseconds apart. */
const looks = 200

/**
 * Of several tables, all at once or none: who waits for one of them while he has another is in the way of a reader who joins them in
 * the other order, and Postgres might end that reader's query. Only when there is never a moment without readers does it queue for them.
 *
 * Waiting for a long reader makes all later readers wait as well: rather give way, and try again.
 */
export async function lockTables(client: ClientBase, names: readonly string[]): Promise<void> {
  const present: string[] = []
  // One that somebody has dropped by hand is in nobody's way.
  for (const name of names) if (await tableExists(client, name)) present.push(quote(name))
  await lockQuoted(client, present)
}

/** The same, of tables that are there. */
export async function lockQuoted(client: ClientBase, present: readonly string[]): Promise<void> {
  for (let look = 0; present.length > 1 && look < looks; look++) {
    if (await areFree(client, present)) break
    await delay(10)
  }
  await client.query(`SET LOCAL lock_timeout = '5s'`)
  for (const table of present) {
    await client.query(`LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`)
    // Postgres looks for deadlocks after a second.
    await client.query(`SET LOCAL lock_timeout = '500ms'`)
  }
  await client.query(`SET LOCAL lock_timeout = '5s'`)
}

/** Whether nobody reads any of them; then they are ours. */
async function areFree(client: ClientBase, tables: readonly string[]): Promise<boolean> {
  await client.query('SAVEPOINT locking')
  try {
    await client.query(`LOCK TABLE ${tables.join(', ')} IN ACCESS EXCLUSIVE MODE NOWAIT`)
    return true
  } catch (error) {
    if ((error as { code?: unknown }).code !== '55P03') throw error // lock_not_available
    await client.query('ROLLBACK TO SAVEPOINT locking')
    return false
  }
}
