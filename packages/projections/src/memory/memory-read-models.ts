// Read models in this process: the same tables and the same folds as on Postgres, rebuilt from the log at every start.
import type { BoundProjection } from '../definition/bind-projection.js'
import type { ReadModels, ViewBuild } from '../runtime/read-models.js'
import { keyText, type Row, toKey } from '../table/row.js'
import type { KeyOf, RowOf, Table } from '../table/table.js'
import { matches, type ReaderOf, searchRows, toSearch } from '../table/table-reader.js'
import { Generation, memoryStorage } from './memory-table.js'

/** A table in memory, for tests and for queries that need more than a reader. */
export interface MemoryRows<T extends Table> {
  get(key: KeyOf<T>): RowOf<T> | undefined
  all(): readonly RowOf<T>[]
  filter(predicate: (row: RowOf<T>) => boolean): readonly RowOf<T>[]
}

/** {@link ReadModels} in memory, whose tables can be looked at directly. */
export interface MemoryReadModels extends ReadModels {
  rows<T extends Table>(table: T): MemoryRows<T>
}

/**
 * Keeps read models in this process: for tests, demonstrations, and views small enough to replay at every start.
 *
 * @example
 * ```ts
 * const store = memoryReadModels()
 * const app = await createApplication({ aggregates: [Order], eventStore: inMemoryEventStore(), parts: [projections([OrdersView], { store })] })
 * store.rows(orders).get(orderId)
 * ```
 */
export function memoryReadModels(): MemoryReadModels {
  const generations = new Map<string, Generation>()
  const current = (name: string): Generation => {
    let generation = generations.get(name)
    if (generation === undefined) {
      generation = new Generation()
      generations.set(name, generation)
    }
    return generation
  }
  const noSql = (): never => {
    throw new TypeError('Free-SQL projections run on postgresReadModels alone.')
  }

  return {
    name: 'memory',
    sql: false,
    setup: async () => [],
    reader: <T extends Table>(table: T): ReaderOf<T> => {
      const rows = () => current(table.name).rows
      return {
        findByKey: async (key) => rows().get(keyText(toKey(table, key))) as RowOf<T> | undefined,
        findWhere: async (where, options) => searchRows(rows().values(), toSearch(table, where, options)) as RowOf<T>[],
        async count(where = {}) {
          const search = toSearch(table, where)
          let count = 0
          for (const row of rows().values()) if (matches(row, search)) count++
          return count
        },
      }
    },
    rows: <T extends Table>(table: T): MemoryRows<T> => {
      const rows = () => current(table.name).rows as Map<string | number, Row>
      return {
        get: (key) => rows().get(keyText(toKey(table, key))) as RowOf<T> | undefined,
        all: () => [...rows().values()] as RowOf<T>[],
        filter: (predicate) => ([...rows().values()] as RowOf<T>[]).filter(predicate),
      }
    },
    async openTable(projection, partitions) {
      const table = tableOf(projection)
      const generation = current(table.name)
      generation.begin(partitions)
      return memoryStorage(projection, generation)
    },
    async buildTable(projection): Promise<ViewBuild> {
      const table = tableOf(projection)
      const built = new Generation()
      return {
        async open(partitions) {
          built.begin(partitions)
          return memoryStorage(projection, built)
        },
        async publish(catchUp) {
          const old = current(table.name)
          // Between the last look and the swap nothing is awaited, so the old generation cannot move on unseen.
          while (!built.contains(old)) await catchUp([...old.checkpoints.values()])
          old.replaced = true
          generations.set(table.name, built)
        },
        close: async () => {},
      }
    },
    letters(projection) {
      const letters = () => current(tableOf(projection).name).letters
      return {
        list: (options) => letters().list(options),
        count: () => letters().count(),
        ask: (wish, which) => letters().ask(wish, which),
      }
    },
    openSql: noSql,
    rebuildSql: noSql,
    close: async () => {},
  }
}

function tableOf(projection: BoundProjection): Table {
  if (projection.target.kind === 'table') return projection.target.table
  throw new TypeError(`Projection ${projection.name} has no table.`)
}
