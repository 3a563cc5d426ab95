// A projection with SQL of its own, a statement per event; by hand the same statement is run from the same text.
import { EventHandler, Projection, type SqlProjectionContext } from '@narrative/projections'
import { LineAdded, Order } from './order.js'

/** What both sides do for each event. */
export const addRevenue = (table: string) =>
  `INSERT INTO ${table} AS t (order_id, lines, total) VALUES ($1, 1, $2)
   ON CONFLICT (order_id) DO UPDATE SET lines = t.lines + 1, total = t.total + EXCLUDED.total`

export const createRevenue = (table: string) =>
  `CREATE TABLE IF NOT EXISTS ${table} (order_id uuid PRIMARY KEY, lines integer NOT NULL, total bigint NOT NULL)`

export const revenueOf = ({ orderId, quantity, unitPrice }: LineAdded) => [orderId, quantity * unitPrice]

export const revenueTable = 'bench_revenue'
const statement = addRevenue(revenueTable)

@Projection('bench-revenue', {
  from: [Order],
  sql: { setup: createRevenue(revenueTable), reset: `TRUNCATE ${revenueTable}` },
})
export class Revenue {
  @EventHandler(LineAdded)
  async lineAdded(event: LineAdded, { client }: SqlProjectionContext): Promise<void> {
    await client.query(statement, revenueOf(event))
  }
}
