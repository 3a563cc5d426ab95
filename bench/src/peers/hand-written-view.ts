// The reference of Postgres views: the quickest SQL we can write by hand for the same rows.
//
// It knows what a framework cannot: that these events only add up. So it never loads a row: it sums the events of a batch
// per order and lets one statement insert the sums or add them, with the checkpoint in the same transaction. Arrays go as
// text literals that need no escaping.
import pg from 'pg'
import type { LineAdded } from '../orders/order.js'

const table = 'hand_written_orders'

const upsert = `INSERT INTO ${table} AS t (order_id, lines, total, last_product_id)
  SELECT * FROM unnest($1::uuid[], $2::integer[], $3::bigint[], $4::text[])
  ON CONFLICT (order_id) DO UPDATE SET
    lines = t.lines + EXCLUDED.lines, total = t.total + EXCLUDED.total, last_product_id = EXCLUDED.last_product_id`

const moveCheckpoint = `UPDATE hand_written_checkpoints SET next = next + $2 WHERE partition = $1`

export class HandWrittenView {
  readonly #pool: pg.Pool

  /** @param connections transactions at once; a partition has one at a time */
  constructor(url: string, connections: number) {
    this.#pool = new pg.Pool({ connectionString: url, max: connections })
  }

  /** Makes empty tables. */
  async begin(partitions: number): Promise<void> {
    await this.#pool.query(`
      DROP TABLE IF EXISTS ${table}, hand_written_checkpoints;
      CREATE TABLE ${table} (order_id uuid PRIMARY KEY, lines integer NOT NULL, total bigint NOT NULL, last_product_id text NOT NULL);
      CREATE TABLE hand_written_checkpoints (partition integer PRIMARY KEY, next bigint NOT NULL);
      INSERT INTO hand_written_checkpoints SELECT n, 0 FROM generate_series(0, ${partitions - 1}) n`)
  }

  /** Folds adjacent events of one partition into the table, in one transaction. */
  async apply(partition: number, events: readonly LineAdded[]): Promise<void> {
    const sums = new Map<string, { lines: number; total: number; product: string }>()
    for (const { orderId, productId, quantity, unitPrice } of events) {
      const sum = sums.get(orderId)
      if (sum === undefined) {
        sums.set(orderId, { lines: 1, total: quantity * unitPrice, product: productId })
        continue
      }
      sum.lines++
      sum.total += quantity * unitPrice
      sum.product = productId
    }
    const rows = [...sums.values()]
    const values = [
      `{${[...sums.keys()].join(',')}}`,
      `{${rows.map((row) => row.lines).join(',')}}`,
      `{${rows.map((row) => row.total).join(',')}}`,
      `{"${rows.map((row) => row.product).join('","')}"}`,
    ]
    const client = await this.#pool.connect()
    try {
      await client.query('BEGIN')
      await client.query({ name: 'move', text: moveCheckpoint, values: [partition, events.length] })
      await client.query({ name: 'upsert', text: upsert, values })
      await client.query('COMMIT')
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

/** Writes one partition while the next events are read: at most two batches are on their way. */
export class HandWrittenWriter {
  #waiting: LineAdded[] = []
  #writing: Promise<void> | undefined

  constructor(
    private readonly view: HandWrittenView,
    private readonly partition: number,
    private readonly batch: number,
  ) {}

  /** Resolves at once unless a whole batch waits already. */
  async take(events: readonly LineAdded[]): Promise<void> {
    this.#waiting = this.#waiting.concat(events)
    while (this.#waiting.length >= this.batch) {
      await this.#writing
      this.#writing = this.view.apply(this.partition, this.#waiting.splice(0, this.batch))
    }
  }

  async finish(): Promise<void> {
    await this.#writing
    if (this.#waiting.length > 0) await this.view.apply(this.partition, this.#waiting)
  }
}
