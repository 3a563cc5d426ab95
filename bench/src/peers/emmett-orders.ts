// The same orders on Emmett with Postgres: its own command handler, its own store, pooled connections.
import { CommandHandler, type Event } from '@event-driven-io/emmett'
import { getPostgreSQLEventStore } from '@event-driven-io/emmett-postgresql'
import { validateSync } from 'class-validator'
import pg from 'pg'
import { type AddLine, creditLimit } from '../orders/order.js'

type LineAdded = Event<
  'line-added',
  { orderId: string; productId: string; quantity: number; unitPrice: number; note: string }
>

interface OrderState {
  readonly lines: number
  readonly total: number
}

const handle = CommandHandler<OrderState, LineAdded>({
  initialState: () => ({ lines: 0, total: 0 }),
  evolve: ({ lines, total }, { data }) => ({ lines: lines + 1, total: total + data.quantity * data.unitPrice }),
  mapToStreamId: (id) => `order-${id}`,
  retry: { onVersionConflict: true },
})

const strict = { whitelist: true, forbidNonWhitelisted: true, forbidUnknownValues: true }

/** Orders on Emmett. */
export interface EmmettOrders {
  addLine(command: AddLine): Promise<unknown>
  close(): Promise<void>
}

/**
 * Opens a store on an empty database. Migrated once, beforehand, as its documentation advises for production.
 * @param connections size of the pool
 */
export async function emmettOrders(connectionString: string, connections: number): Promise<EmmettOrders> {
  const pool = new pg.Pool({ connectionString, max: connections })
  const store = getPostgreSQLEventStore(connectionString, { connectionOptions: { pool } })
  await store.schema.migrate()
  return {
    addLine(command) {
      // The same validation in front of both; Emmett has none of its own.
      if (validateSync(command, strict).length > 0) throw new Error('not acceptable')
      const { orderId, productId, quantity, unitPrice, note } = command
      return handle(store, orderId, (state) => {
        if (state.total + quantity * unitPrice > creditLimit) throw new Error(`Order ${orderId} is full`)
        return { type: 'line-added', data: { orderId, productId, quantity, unitPrice, note } }
      })
    },
    async close() {
      await store.close()
      await pool.end()
    },
  }
}
