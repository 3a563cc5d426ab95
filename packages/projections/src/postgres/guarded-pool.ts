// The pool as everything here uses it: while Postgres is away, nobody but one probe tries to reach it.
import type { Logger } from '@narrative/core'
import type { Pool } from 'pg'
import { CircuitBreaker } from '../runtime/circuit-breaker.js'
import { unreachable } from './transaction.js'

export interface GuardedPool {
  /** Has the two ways in that are used here; they fail at once while the breaker is open. */
  readonly pool: Pool
  readonly breaker: CircuitBreaker
}

export function guardPool(pool: Pool, log: () => Logger | undefined): GuardedPool {
  const breaker = new CircuitBreaker({
    probe: () => probe(pool),
    turned(away) {
      if (away === undefined) log()?.warn({}, 'Postgres is back; projections go on')
      else log()?.error({ error: away }, `Projections pause, and one connection at a time is tried: ${away.message}`)
    },
  })
  const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
    if (breaker.open !== undefined) throw breaker.open
    try {
      return await work()
    } catch (error) {
      // An error with a severity comes from a server that is there.
      if (typeof (error as { severity?: unknown }).severity !== 'string') void breaker.untilThere()
      throw error
    }
  }
  const ways = {
    connect: () => guarded(() => pool.connect()),
    query: (...statement: Parameters<Pool['query']>) => guarded(async () => pool.query(...statement)),
  }
  return { pool: ways as unknown as Pool, breaker }
}

/** By a connection of its own: that all of the pool are in use says nothing about Postgres. */
async function probe(pool: Pool): Promise<void> {
  const { default: pg } = await import('pg')
  const client = new pg.Client({ connectionTimeoutMillis: patience, query_timeout: patience, ...pool.options })
  client.on('error', () => {}) // the statement under way fails with it
  try {
    await client.connect()
    const { rows } = await client.query('SHOW transaction_read_only')
    if (rows[0].transaction_read_only === 'on') throw new Error('it takes no writes')
  } catch (error) {
    throw unreachable(error)
  } finally {
    await client.end().catch(() => {})
  }
}

/** Milliseconds. */
const patience = 10_000
