// The reference of free SQL: the same statement per event, in transactions of the same size, with nothing around it.
import pg from 'pg'
import type { LineAdded } from '../orders/order.js'
import { addRevenue, createRevenue, revenueOf } from '../orders/order-revenue.js'
import { type RawRead, readTopic } from './raw-consumer.js'

const table = 'hand_written_revenue'
const statement = addRevenue(table)

export class HandWrittenStatements {
  readonly #pool: pg.Pool

  constructor(url: string) {
    this.#pool = new pg.Pool({ connectionString: url, max: 1 })
  }

  /** Makes empty tables. */
  async begin(partitions: number): Promise<void> {
    await this.#pool.query(`
      DROP TABLE IF EXISTS ${table}, hand_written_offsets;
      ${createRevenue(table)};
      CREATE TABLE hand_written_offsets (partition integer PRIMARY KEY, next bigint NOT NULL);
      INSERT INTO hand_written_offsets SELECT n, 0 FROM generate_series(0, ${partitions - 1}) n`)
  }

  /**
   * Reads the topic and runs a statement per event.
   * @param size events of a transaction; undefined: all of them in one
   * @returns seconds from the first fetch to the last commit
   */
  async run(topic: RawRead, size: number | undefined): Promise<number> {
    const client = await this.#pool.connect()
    let working = Promise.resolve()
    let late = 0
    try {
      if (size === undefined) await client.query('BEGIN')
      const reading = await readTopic(topic, ({ partition, messages }) => {
        const events = messages.flatMap(({ key, value }): LineAdded[] =>
          key === null ? [] : [JSON.parse(String(value))],
        )
        // One connection: partitions take turns.
        working = working.then(async () => {
          for (let at = 0; at < events.length; at += size ?? events.length)
            await apply(client, partition, events.slice(at, at + (size ?? events.length)), size !== undefined)
        })
        return working
      })
      const before = performance.now()
      if (size === undefined) await client.query('COMMIT')
      late = (performance.now() - before) / 1000
      return reading + late
    } finally {
      client.release()
    }
  }

  /** Events that arrived. */
  async lines(): Promise<number> {
    return Number((await this.#pool.query(`SELECT sum(lines) AS lines FROM ${table}`)).rows[0].lines)
  }

  async close(): Promise<void> {
    await this.#pool.end()
  }
}

async function apply(client: pg.PoolClient, partition: number, events: readonly LineAdded[], commit: boolean) {
  if (commit) await client.query('BEGIN')
  const move = 'UPDATE hand_written_offsets SET next = next + $2 WHERE partition = $1'
  await client.query({ name: 'move', text: move, values: [partition, events.length] })
  for (const event of events) await client.query(statement, revenueOf(event))
  if (commit) await client.query('COMMIT')
}
