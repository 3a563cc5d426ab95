// The same stories in memory and on Postgres.
import { Aggregate, AggregateId, Command, CommandHandler, Event, EventHandler as Evolve } from '@narrative/core'
import {
  column,
  defineProjection,
  EventHandler,
  Projection,
  type ProjectionContext,
  type RowOf,
  type SqlProjectionContext,
  table,
} from '@narrative/projections'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type PostgresService, startPostgres } from '../services/start-postgres.js'
import { projecting } from './projecting.js'

@Event('shelf.filled')
class Filled {
  constructor(
    readonly product: string,
    readonly quantity: number,
    readonly at: string,
    readonly tags: readonly string[] = [],
  ) {}
}

@Event('shelf.emptied')
class Emptied {
  constructor(readonly product: string) {}
}

@Command('shelf.touch')
class Touch {
  @AggregateId() readonly id!: string
}

@Aggregate('shelf')
class Shelf {
  @CommandHandler(Touch) touch(_: Touch) {}
  @Evolve(Filled) filled() {}
  @Evolve(Emptied) emptied() {}
}

const stock = table('stock', {
  key: ['shelf', 'product'],
  columns: {
    shelf: 'text',
    product: 'text',
    quantity: 'integer',
    value: 'numeric',
    full: 'boolean',
    since: 'timestamptz',
    tags: column<readonly string[]>('jsonb'),
    note: 'text | null',
  },
  indexes: ['product'],
})
type Stock = RowOf<typeof stock>

@Projection('stock', {
  from: [Shelf],
  table: stock,
  key: (event: Filled | Emptied, { aggregateId }: ProjectionContext) => ({
    shelf: aggregateId,
    product: event.product,
  }),
})
class StockView {
  @EventHandler(Filled)
  filled(row: Stock | undefined, event: Filled, { aggregateId }: ProjectionContext): Stock {
    if (event.quantity < 0) throw new Error('Less than nothing.')
    const quantity = (row?.quantity ?? 0) + event.quantity
    return {
      ...{ shelf: aggregateId, product: event.product, quantity, value: `${quantity}.50`, full: quantity > 9 },
      ...{ since: new Date(event.at), tags: event.tags, note: row === undefined ? null : 'refilled' },
    }
  }
  @EventHandler(Emptied)
  emptied(): Stock | undefined {
    return undefined
  }
}

const noon = '2026-01-01T12:00:00.123Z'
const since = new Date(noon)
let postgres: PostgresService
beforeAll(async () => {
  postgres = await startPostgres()
})
afterAll(() => postgres.stop())

describe.each([
  { where: 'in memory', on: () => undefined },
  { where: 'on Postgres', on: () => postgres },
])('a story $where', ({ on }) => {
  const view = () => projecting(StockView, { on: on() })

  test('rows of every kind, added to, several and deleted', async () => {
    await view()
      .events('s1', new Filled('tea', 4, noon), new Filled('milk', 1, noon), new Filled('tea', 6, noon, ['b', 'a']))
      .events('s2', new Filled('tea', 1, noon), new Emptied('tea'))
      .thenRows(
        {
          ...{ shelf: 's1', product: 'tea', quantity: 10, value: '10.50', full: true, since },
          ...{ tags: ['b', 'a'], note: 'refilled' },
        },
        {
          ...{ shelf: 's1', product: 'milk', quantity: 1, value: '1.50', full: false, since },
          ...{ tags: [], note: null },
        },
      )
  })

  test('nothing is left of the story before', () => view().thenRows())

  test('more rows than a reader gives without being asked for more', async () => {
    const product = (number: number) => `p${String(number).padStart(3, '0')}`
    const events = Array.from({ length: 101 }, (_, number) => new Filled(product(number), 1, noon))
    const rows = events.map((event): Stock => {
      return {
        shelf: 's',
        product: event.product,
        quantity: 1,
        value: '1.50',
        full: false,
        since,
        tags: [],
        note: null,
      }
    })
    await view()
      .events('s', ...events)
      .thenRows(...rows)
  })

  test('another row than the expected one, and a projection that stops, say so in the same words', async () => {
    const story = view().events('s1', new Filled('tea', 4, noon))
    await expect(story.thenRows()).rejects.toThrowErrorMatchingInlineSnapshot(`
      [AssertionError: The rows of stock are not the expected ones (- expected, + actual):

        - no rows
        + {
        +   full: false,
        +   note: null,
        +   product: 'tea',
        +   quantity: 4,
        +   shelf: 's1',
        +   since: 2026-01-01T12:00:00.123Z,
        +   tags: [],
        +   value: '4.50'
        + }

        given  shelf.filled { product: 'tea', quantity: 4, at: '2026-01-01T12:00:00.123Z', tags: [] }]
    `)
    const failing = view()
      .events('s1', new Filled('tea', -1, noon))
      .thenRows()
    await expect(failing).rejects.toThrow(/The projection stopped: .*Less than nothing/s)
  })
})

describe('a projection with SQL of its own', () => {
  const takings = defineProjection({
    name: 'takings',
    from: [Shelf],
    sql: {
      setup:
        'CREATE TABLE IF NOT EXISTS takings (product text PRIMARY KEY, quantity bigint NOT NULL, since timestamptz)',
      reset: 'TRUNCATE takings',
    },
    on: {
      'shelf.filled': async ({ product, quantity, at }: Filled, { client }: SqlProjectionContext) => {
        if (quantity < 0) throw new Error('Less than nothing.')
        await client.query(
          `INSERT INTO takings VALUES ($1, $2, $3)
           ON CONFLICT (product) DO UPDATE SET quantity = takings.quantity + EXCLUDED.quantity`,
          [product, quantity, at],
        )
      },
    },
  })
  const story = () =>
    projecting(takings, { on: postgres }).events('s', new Filled('tea', 4, noon), new Filled('tea', 5, noon))
  const all = 'SELECT product, quantity::int, since FROM takings'

  test('what a query gives, in its order, also after a rebuild', async () => {
    await story()
      .events('s2', new Filled('milk', 1, noon))
      .thenQuery(
        `${all} ORDER BY product`,
        { product: 'milk', quantity: 1, since },
        { product: 'tea', quantity: 9, since },
      )
    await expect(story().thenQuery(all, { product: 'tea', quantity: 8, since })).rejects.toThrow(/- +quantity: 8/)
  })

  test('stories side by side do not meet', async () => {
    const sum = 'SELECT coalesce(sum(quantity), 0)::int AS sum FROM takings'
    await Promise.all(
      [1, 2, 3, 4].map((n) =>
        story()
          .events('s', new Filled('milk', n, noon))
          .thenQuery(sum, { sum: 9 + n }),
      ),
    )
  })

  test('where there is no Postgres, no such table, or a handler that throws, it says so', async () => {
    await expect(projecting(StockView).thenQuery('SELECT 1')).rejects.toThrow('{ on: postgres }')
    await expect(story().thenRows()).rejects.toThrow('thenQuery')
    await expect(story().thenQuery('SELECT * FROM nowhere')).rejects.toThrow(/^relation "nowhere" does not exist/)
    const broken = story().events('s', new Filled('tea', -1, noon))
    await expect(broken.thenQuery(all)).rejects.toThrow(/The projection stopped: .*Less than nothing/s)
  })
})

test('a Postgres that is not there is not replaced by memory', () =>
  expect(projecting(StockView, { on: { url: 'postgres://127.0.0.1:1/none' } }).thenRows()).rejects.toThrow(
    'ECONNREFUSED',
  ))

test('on Postgres a story leaves nothing behind, and a table of the same name in the database is not touched', async () => {
  const url = await postgres.createDatabase()
  const pool = new pg.Pool({ connectionString: url })
  try {
    await pool.query(`CREATE TABLE stock AS SELECT 'mine' AS owner`)
    await projecting(StockView, { on: { url } })
      .events('s', new Filled('tea', -1, noon))
      .thenRows()
      .catch(() => {})
    await projecting(StockView, { on: { url } }).events('s', new Emptied('tea')).thenRows()
    class Unmarked {}
    await expect(projecting(Unmarked, { on: { url } }).thenRows()).rejects.toMatchObject({ code: 'STARTUP_FAULTS' })
    const { rows } = await pool.query(`SELECT nspname FROM pg_namespace WHERE nspname LIKE 'story%'`)
    expect(rows).toEqual([])
    expect((await pool.query('SELECT owner FROM stock')).rows).toEqual([{ owner: 'mine' }])
  } finally {
    await pool.end()
  }
})
