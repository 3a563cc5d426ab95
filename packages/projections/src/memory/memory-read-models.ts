// Read models in this process: the same tables and the same folds as on Postgres, rebuilt from the log at every start.
import type { BoundProjection } from '../definition/bind-projection.js'
import type { ReadModels, ViewBuild } from '../runtime/read-models.js'
import { nothingKept } from '../runtime/stopped.js'
import { keyText, type Row, toKey } from '../table/row.js'
import type { KeyOf, RowOf, Table } from '../table/table.js'
import { matches, type ReaderOf, searchRows, toSearch } from '../table/table-reader.js'
import { MemoryControl } from './memory-control.js'
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
  const kept = new Map<string, Generation>()
  const replace = (projection: BoundProjection, next: Generation, keepOld: boolean) => {
    const { name } = tableOf(projection)
    const old = current(name)
    old.replaced = true
    if (keepOld) kept.set(name, old)
    else kept.delete(name)
    generations.set(name, next)
    control.wake(projection.name)
  }
  /** By projection: a control room knows no tables. */
  const tables = new Map<string, Table>()
  const control = new MemoryControl(async (projection) => {
    const table = tables.get(projection)
    const { checkpoints, letters, number } = table === undefined ? new Generation() : current(table.name)
    const parked = await letters.count()
    const older = table && kept.get(table.name)?.number
    return { generation: number, checkpoints: [...checkpoints.values()], parked, kept: older }
  })
  const noSql = (): never => {
    throw new TypeError('Free-SQL projections run on postgresReadModels alone.')
  }

  return {
    name: 'memory',
    sql: false,
    async setup(projections) {
      for (const { name, target } of projections) if (target.kind === 'table') tables.set(name, target.table)
      return []
    },
    control,
    async rebuildRow(projection, key, rowAt) {
      for (;;) {
        const { name } = tableOf(projection)
        const old = current(name)
        const at = [...old.checkpoints.values()]
        const { row, letters } = await rowAt(at)
        // Between this look and the swap nothing is awaited: it has not moved on unseen.
        if (current(name) !== old || at.some((checkpoint) => !old.isAt(checkpoint))) continue
        const older = kept.get(name)
        replace(projection, old.withRow(key, row, letters), false)
        if (older !== undefined) kept.set(name, older)
        return
      }
    },
    async reset(projection) {
      const fresh = new Generation(current(tableOf(projection).name).number)
      const older = kept.get(tableOf(projection).name)
      replace(projection, fresh, false)
      if (older !== undefined) kept.set(tableOf(projection).name, older)
    },
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
    async buildTable(projection, { keepOld }): Promise<ViewBuild> {
      const table = tableOf(projection)
      const { number } = current(table.name)
      const built = new Generation(Math.max(number, kept.get(table.name)?.number ?? 0) + 1)
      return {
        async open(partitions) {
          built.begin(partitions)
          return memoryStorage(projection, built)
        },
        async publish(catchUp) {
          const old = current(table.name)
          // Between the last look and the swap nothing is awaited, so the old generation cannot move on unseen.
          while (!built.contains(old)) await catchUp([...old.checkpoints.values()])
          replace(projection, built, keepOld)
        },
        // A build is this process's alone, and nothing of it outlives the attempt.
        group: undefined,
        checkpoints: async () => [...built.checkpoints.values()],
        cancelled: async () => false,
        published: async () => current(table.name) === built,
        close: async () => {},
      }
    },
    async switchBack(projection) {
      const back = kept.get(tableOf(projection).name)
      if (back === undefined) throw nothingKept(projection.name)
      back.replaced = false
      replace(projection, back, true)
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
