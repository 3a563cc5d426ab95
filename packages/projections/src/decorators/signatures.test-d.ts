// What the compiler accepts of a projection, and the sentences it refuses the rest with.
import { expectTypeOf, test } from 'vitest'
import { Order, OrderCancelled, OrderPlaced, type OrderRow, orders } from '../application/orders.test-fixture.js'
import {
  column,
  defineProjection,
  EventHandler,
  type KeyOf,
  Projection,
  type ProjectionContext,
  type ReaderOf,
  type RowOf,
  type SqlProjectionContext,
  table,
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
})
