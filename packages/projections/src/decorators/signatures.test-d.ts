// What the compiler accepts of a projection, and the sentences it refuses the rest with.
import { expectTypeOf, test } from 'vitest'
import { Order, OrderCancelled, OrderPlaced, type OrderRow, orders } from '../application/orders.test-support.js'
import {
  column,
  defineProjection,
  deleted,
  EventHandler,
  type KeyOf,
  Projection,
  type ProjectionContext,
  type ReaderOf,
  type RowOf,
  type SqlProjectionContext,
  table,
  where,
} from '../index.js'

test('rows and keys have the types of their columns', () => {
  const stock = table('stock', {
    key: ['warehouse', 'sku'],
    columns: {
      warehouse: 'integer',
      sku: 'text',
      level: column<'low' | 'high'>('text'),
      tags: column<readonly string[]>('jsonb | null'),
      price: 'numeric | null',
      since: 'timestamptz',
      any: 'jsonb',
    },
  })
  expectTypeOf<RowOf<typeof stock>>().toEqualTypeOf<{
    readonly warehouse: number
    readonly sku: string
    readonly level: 'low' | 'high'
    readonly tags: readonly string[] | null
    readonly price: string | null
    readonly since: Date
    readonly any: unknown
  }>()
  expectTypeOf<KeyOf<typeof stock>>().toEqualTypeOf<{ readonly warehouse: number; readonly sku: string }>()
  expectTypeOf<KeyOf<typeof orders>>().toEqualTypeOf<string>()
  expectTypeOf<ReturnType<ReaderOf<typeof orders>['findByKey']>>().toEqualTypeOf<Promise<OrderRow | undefined>>()

  // @ts-expect-error a key must be a column
  table('wrong', { key: 'other', columns: { id: 'text' } })
  // @ts-expect-error an unknown type
  table('wrong', { key: 'id', columns: { id: 'varchar' } })
})

test('handlers of a table', () => {
  @Projection('good', { from: [Order], table: orders })
  class Good {
    @EventHandler(OrderPlaced) all(
      _row: OrderRow | undefined,
      event: OrderPlaced,
      context: ProjectionContext,
    ): OrderRow {
      return {
        orderId: context.aggregateId,
        customerId: event.customerId,
        status: 'placed',
        lines: [],
        total: 1,
        version: 1,
        reason: null,
      }
    }
    @EventHandler(OrderCancelled) fewer(row: OrderRow): OrderRow | undefined {
      return this.helper(row)
    }
    @EventHandler(OrderCancelled) gone(): undefined {}
    private helper(row: OrderRow): OrderRow | undefined {
      return row.total > 0 ? row : undefined
    }
  }
  expectTypeOf(Good).toBeConstructibleWith()

  class Wrong {
    // @ts-expect-error the event of another class
    @EventHandler(OrderPlaced) other(row: OrderRow, _event: OrderCancelled): OrderRow {
      return row
    }
    // @ts-expect-error a promise of a row
    @EventHandler(OrderPlaced) async later(row: OrderRow): Promise<OrderRow> {
      return row
    }
    // @ts-expect-error neither a row nor nothing
    @EventHandler(OrderPlaced) text(_row: OrderRow): string {
      return ''
    }
  }
  expectTypeOf(Wrong).toBeConstructibleWith()

  // @ts-expect-error status: the public methods of a projection with a table take and return its rows
  @Projection('wrong', { from: [Order], table: orders })
  class OtherRow {
    @EventHandler(OrderPlaced) status(_row: { status: number } | undefined): { status: number } {
      return { status: 1 }
    }
  }
  expectTypeOf(OtherRow).toBeConstructibleWith()

  // @ts-expect-error nothing is not a row
  @Projection('wrong', { from: [Order], table: orders })
  class Nothing {
    @EventHandler(OrderPlaced) placed(_event: OrderPlaced): void {}
  }
  expectTypeOf(Nothing).toBeConstructibleWith()

  // @ts-expect-error the key is a string
  Projection('wrong', { from: [Order], table: orders, key: () => 1 })
})

const stock = table('stock', {
  key: 'sku',
  columns: { sku: 'text', level: 'integer', owner: 'text' },
  indexes: ['owner'],
})
type StockRow = RowOf<typeof stock>

test('handlers of several tables', () => {
  @Projection('good', { from: [Order], tables: { orders, stock } })
  class Good {
    @EventHandler(OrderPlaced, ({ customerId }, { aggregateId }) => ({
      orders: aggregateId,
      stock: where({ owner: customerId }),
    }))
    placed(
      rows: { orders: OrderRow | undefined; stock: readonly StockRow[] },
      event: OrderPlaced,
      context: ProjectionContext,
    ) {
      expectTypeOf(event.customerId).toBeString()
      expectTypeOf(context.aggregateId).toBeString()
      return { orders: rows.orders, stock: rows.stock.map((row) => ({ ...row, level: row.level - 1 })) }
    }
    @EventHandler(OrderCancelled, () => ({ stock: ['a', where({ owner: 'b' })], orders: 'c' }))
    some({ stock: rows }: { stock: readonly StockRow[] }) {
      return rows.length > 0 ? { stock: rows.map((row) => (row.level > 0 ? row : deleted(row))) } : undefined
    }
    @EventHandler(OrderCancelled, () => ({ orders: 'a' })) sure({ orders: row }: { orders: OrderRow }) {
      return { orders: deleted(row) }
    }
    @EventHandler(OrderCancelled, () => ({})) nothing() {
      return undefined
    }
  }
  expectTypeOf(Good).toBeConstructibleWith()

  class Wrong {
    // @ts-expect-error stock: a list of keys gives a list
    @EventHandler(OrderPlaced, () => ({ stock: ['a'] })) one(_rows: { stock: StockRow | undefined }) {
      return {}
    }
    // @ts-expect-error stock: a key gives a row
    @EventHandler(OrderPlaced, () => ({ stock: 'a' })) list(_rows: { stock: readonly StockRow[] }) {
      return {}
    }
    // @ts-expect-error orders: it is not asked for
    @EventHandler(OrderPlaced, () => ({ stock: 'a' })) more(_rows: { orders: OrderRow | undefined }) {
      return {}
    }
    // @ts-expect-error stock: no such column
    @EventHandler(OrderPlaced, () => ({ stock: where({ color: 'a' }) })) column(_rows: { stock: readonly StockRow[] }) {
      return {}
    }
    // @ts-expect-error the event of another class
    @EventHandler(OrderPlaced, () => ({ stock: 'a' })) event(_rows: object, _event: OrderCancelled) {
      return {}
    }
    // @ts-expect-error a promise
    @EventHandler(OrderPlaced, () => ({ stock: 'a' })) async later() {
      return {}
    }
  }
  expectTypeOf(Wrong).toBeConstructibleWith()

  // @ts-expect-error placed: the row is of another table
  @Projection('wrong', { from: [Order], tables: { orders, stock } })
  class OtherRow {
    @EventHandler(OrderPlaced, () => ({ stock: 'a' })) placed({ stock: row }: { stock: StockRow }) {
      return { orders: row }
    }
  }
  expectTypeOf(OtherRow).toBeConstructibleWith()

  // @ts-expect-error placed: takes a row of another type
  @Projection('wrong', { from: [Order], tables: { orders, stock } })
  class OtherParameter {
    @EventHandler(OrderPlaced, () => ({ stock: 'a' })) placed(_rows: { stock: { size: number } }) {
      return {}
    }
  }
  expectTypeOf(OtherParameter).toBeConstructibleWith()

  // @ts-expect-error placed: no such table
  @Projection('wrong', { from: [Order], tables: { orders } })
  class OtherTable {
    @EventHandler(OrderPlaced, () => ({ stock: 'a' })) placed({ stock: row }: { stock: StockRow }) {
      return { stock: row }
    }
  }
  expectTypeOf(OtherTable).toBeConstructibleWith()

  // @ts-expect-error placed: it deletes a row of another table
  @Projection('wrong', { from: [Order], tables: { orders, stock } })
  class OtherDeleted {
    @EventHandler(OrderPlaced, () => ({ stock: 'a' })) placed({ stock: row }: { stock: StockRow }) {
      return { orders: deleted(row) }
    }
  }
  expectTypeOf(OtherDeleted).toBeConstructibleWith()
})

test('handlers without a table', () => {
  @Projection('sql', { from: [Order], sql: { setup: '', reset: '' } })
  class Sql {
    @EventHandler(OrderPlaced) async placed(event: OrderPlaced, { client }: SqlProjectionContext): Promise<void> {
      await client.query('SELECT $1', [event.total])
    }
  }
  expectTypeOf(Sql).toBeConstructibleWith()

  @Projection('memory', { from: [Order] })
  class Memory {
    private sum = 0
    @EventHandler(OrderPlaced) placed(event: OrderPlaced): void {
      this.sum += event.total
    }
    total(currency: string): string {
      return `${this.sum} ${currency}`
    }
  }
  expectTypeOf(Memory).toBeConstructibleWith()
})

test('the form without classes', () => {
  defineProjection({
    name: 'good',
    from: [Order],
    table: orders,
    on: { 'order.cancelled': (row) => row && { ...row, total: 0 } },
  })
  // @ts-expect-error not a row of the table
  defineProjection({ name: 'wrong', from: [Order], table: orders, on: { 'order.cancelled': () => ({ total: 0 }) } })
  defineProjection({
    name: 'good',
    from: [Order],
    tables: { orders, stock },
    on: {
      'order.cancelled': {
        rows: (_event, { aggregateId }) => ({ orders: aggregateId, stock: [where({ owner: 'a' }), 'b'] }),
        fold: (rows) => ({ orders: rows.orders && deleted(rows.orders as OrderRow), stock: rows.stock }),
      },
    },
  })
  const fold = () => undefined
  // @ts-expect-error a key is a string
  defineProjection({ name: 'wrong', from: [Order], tables: { stock }, on: { a: { rows: () => ({ stock: 1 }), fold } } })
  const rows = () => ({ stock: 'a' })
  // @ts-expect-error not a row of the table
  defineProjection({ name: 'wrong', from: [Order], tables: { stock }, on: { a: { rows, fold: () => ({ stock: 1 }) } } })
})
