import { silentLogger } from '@narrative/core'
import { type PostgresService, startPostgres } from '@narrative/testing'
import fc from 'fast-check'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { columnTypes, type SqlType } from '../table/column-type.js'
import { toRow } from '../table/row.js'
import { table } from '../table/table.js'
import { binaryArray } from './binary-array.js'
import { asTexts, createTable, fromTexts, selectBy, upsert } from './table-statements.js'

let postgres: PostgresService
let pool: pg.Pool
beforeAll(async () => {
  postgres = await startPostgres({ logger: silentLogger })
  pool = new pg.Pool({ connectionString: await postgres.createDatabase(), max: 1 })
})
afterAll(async () => {
  await pool.end()
  await postgres.stop()
})

const storable = (text: string) => columnTypes.text.normalise(text) !== undefined
const text = fc
  .oneof(fc.string({ unit: 'binary' }), fc.constantFrom('', '"', '\\', '{}', 'NULL', ',', "'", '\n', 'ä€😀'))
  .filter(storable)
const json = fc.jsonValue().filter((value) => columnTypes.jsonb.normalise(value) !== undefined)
const day = fc.date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })

const values: Record<SqlType, fc.Arbitrary<unknown>> = {
  uuid: fc.uuid(),
  text,
  integer: fc.integer(),
  bigint: fc.maxSafeInteger(),
  'double precision': fc.double({ noNaN: true, noDefaultInfinity: true }),
  numeric: fc.tuple(fc.bigInt(), fc.nat()).map(([whole, rest]) => `${whole}.${rest}`),
  boolean: fc.boolean(),
  timestamptz: fc.date({ min: new Date(-62_135_596_800_000), noInvalidDate: true, max: new Date(253_402_300_799_999) }),
  date: day.map((date) => date.toISOString().slice(0, 10)),
  jsonb: json,
}

const everything = table('everything', {
  key: ['id', 'part'],
  columns: {
    id: 'text',
    part: 'integer',
    ...(Object.fromEntries(Object.keys(values).map((type, i) => [`c${i}`, `${type} | null`])) as Record<
      string,
      'text | null'
    >),
  },
})

test('every value of every type comes back from Postgres as it went in', async () => {
  await pool.query(createTable(everything, 'everything'))
  const row = fc.record({
    part: fc.integer(),
    ...Object.fromEntries(Object.values(values).map((value, i) => [`c${i}`, fc.option(value)])),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 30 }), async (given) => {
      await pool.query('TRUNCATE everything')
      const rows = given.map((fields, i) => toRow(everything, { id: `row ${i}`, ...fields }, undefined))
      const columns = everything.columns.map(({ type, property }) =>
        binaryArray(
          type,
          rows.map((r) => r[property]),
        ),
      )
      await pool.query(upsert(everything, 'everything'), columns)
      // Again: the update takes the same way.
      await pool.query(upsert(everything, 'everything'), columns)
      const keys = everything.key.map(({ type, property }) =>
        binaryArray(
          type,
          rows.map((r) => r[property]),
        ),
      )
      const found = await pool.query({ text: selectBy(everything, 'everything'), values: keys, ...asTexts })
      const byId = new Map(found.rows.map((texts) => fromTexts(everything, texts)).map((r) => [r.id, r]))
      for (const expected of rows) {
        const actual = byId.get(expected.id)!
        for (const { property, type } of everything.columns) {
          const same =
            actual[property] === expected[property] || columnTypes[type].same(actual[property], expected[property])
          if (!same) expect({ [type]: actual[property] }).toEqual({ [type]: expected[property] })
        }
      }
      expect(byId.size).toBe(rows.length)
    }),
    { numRuns: 150 },
  )
})

test('more rows than a statement may have parameters', async () => {
  await pool.query('TRUNCATE everything')
  const rows = Array.from({ length: 70_000 }, (_, part) => toRow(everything, { id: 'many', part }, undefined))
  await pool.query(
    upsert(everything, 'everything'),
    everything.columns.map(({ type, property }) =>
      binaryArray(
        type,
        rows.map((r) => r[property]),
      ),
    ),
  )
  expect((await pool.query('SELECT count(*)::int AS n FROM everything')).rows[0].n).toBe(70_000)
})
