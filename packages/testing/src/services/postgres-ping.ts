// Asks a Postgres address whether it serves queries.
import pg from 'pg'

/** True when a query is answered. */
export async function postgresAnswers(url: string, timeout = 2_000): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: timeout, query_timeout: timeout })
  // A connection that breaks while it is idle is reported here as well as to the query.
  client.on('error', () => {})
  try {
    await client.connect()
    await client.query('SELECT 1')
    return true
  } catch {
    // Any refusal means "not now": the caller asks again or gives up.
    return false
  } finally {
    await client.end().catch(() => undefined)
  }
}
