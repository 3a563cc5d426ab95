// Read models in this process: the same tables and the same folds as on Postgres, rebuilt from the log at every start.
import type { BoundProjection } from '../definition/bind-projection.js'
import { tablesOf } from '../definition/projection-definition.js'
import type { ReadModels, ViewBuild } from '../runtime/read-models.js'
import { nothingKept } from '../runtime/stopped.js'
import { toKey } from '../table/row.js'
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
  /** By projection. */
  const generations = new Map<string, Generation>()
  const kept = new Map<string, Generation>()
  /** Views that are being built, by projection. */
  const builds = new Map<string, Generation>()
  /** Which projection a table is of, by its name: readers know no projections. */
  const owners = new Map<string, string>()
  const current = (projection: string): Generation => {
    let generation = generations.get(projection)
    if (generation === undefined) {
      generation = new Generation()
      generations.set(projection, generation)
    }
    return generation
  }
  const own = ({ name, target }: BoundProjection) => {
    for (const table of tablesOf(target)) owners.set(table.name, name)
  }
  const nothing = new Generation()
  const rowsOf = (table: Table) => {
    const owner = owners.get(table.name)
    return (owner === undefined ? nothing : current(owner)).rowsOf(table)
  }
  const replace = ({ name }: BoundProjection, next: Generation, keepOld: boolean) => {
    const old = current(name)
    old.replaced = true
    if (keepOld) kept.set(name, old)
    else kept.delete(name)
    generations.set(name, next)
    control.wake(name)
  }
  const control = new MemoryControl(async (projection) => {
    const { checkpoints, letters, number } = generations.get(projection) ?? new Generation()
    const parked = await letters.count()
    return {
      ...{ generation: number, checkpoints: [...checkpoints.values()], parked },
      kept: kept.get(projection)?.number,
    }
  })
  const noSql = (): never => {
    throw new TypeError('Free-SQL projections run on postgresReadModels alone.')
  }

  return {
    name: 'memory',
    sql: false,
    async setup(projections) {
      for (const projection of projections) own(projection)
      return []
    },
    control,
    async rebuildRow(projection, table, key, rowAt) {
      const { name } = projection
      for (;;) {
        const old = current(name)
        const at = [...old.checkpoints.values()]
        const { row, letters } = await rowAt(at)
        // Between this look and the swap nothing is awaited: it has not moved on unseen.
        if (current(name) !== old || at.some((checkpoint) => !old.isAt(checkpoint))) continue
        const older = kept.get(name)
        replace(projection, old.withRow(table, key, row, letters), false)
        if (older !== undefined) kept.set(name, older)
        return
      }
    },
    async reset(projection) {
      const { name } = projection
      const older = kept.get(name)
      replace(projection, new Generation(current(name).number), false)
      if (older !== undefined) kept.set(name, older)
    },
    reader: <T extends Table>(table: T): ReaderOf<T> => ({
      findByKey: async (key) => rowsOf(table).get(toKey(table, key)) as RowOf<T> | undefined,
      findWhere: async (where, options) =>
        searchRows(rowsOf(table).values(), toSearch(table, where, options)) as RowOf<T>[],
      async count(where = {}) {
        const search = toSearch(table, where)
        let count = 0
        for (const row of rowsOf(table).values()) if (matches(row, search)) count++
        return count
      },
    }),
    rows: <T extends Table>(table: T): MemoryRows<T> => {
      const all = () => [...rowsOf(table).values()] as RowOf<T>[]
      return {
        get: (key) => rowsOf(table).get(toKey(table, key)) as RowOf<T> | undefined,
        all,
        filter: (predicate) => all().filter(predicate),
      }
    },
    async openTable(projection, partitions) {
      own(projection)
      const generation = current(projection.name)
      generation.begin(partitions)
      return memoryStorage(projection, generation)
    },
    async buildTable(projection, { keepOld }): Promise<ViewBuild> {
      own(projection)
      const { name } = projection
      const built = new Generation(Math.max(current(name).number, kept.get(name)?.number ?? 0) + 1)
      built.letters.building = true
      builds.set(name, built)
      const notBuildingAnyMore = () => {
        built.letters.building = false
        if (builds.get(name) === built) builds.delete(name)
      }
      return {
        async open(partitions) {
          built.begin(partitions)
          return memoryStorage(projection, built)
        },
        async publish(catchUp) {
          const old = current(name)
          // Between the last look and the swap nothing is awaited, so the old generation cannot move on unseen.
          while (!built.contains(old)) await catchUp([...old.checkpoints.values()])
          notBuildingAnyMore()
          replace(projection, built, keepOld)
        },
        // A build is this process's alone, and nothing of it outlives the attempt.
        group: undefined,
        checkpoints: async () => [...built.checkpoints.values()],
        cancelled: async () => false,
        published: async () => current(name) === built,
        close: async () => notBuildingAnyMore(),
      }
    },
    async switchBack(projection) {
      const back = kept.get(projection.name)
      if (back === undefined) throw nothingKept(projection.name)
      back.replaced = false
      replace(projection, back, true)
    },
    letters({ name }) {
      const shown = () => [current(name), builds.get(name)].flatMap((view) => view?.letters ?? [])
      return {
        async list(options) {
          const lists = await Promise.all(shown().map((letters) => letters.list(options)))
          return lists.flat().slice(0, options?.limit ?? 100)
        },
        count: async () => sum(await Promise.all(shown().map((letters) => letters.count()))),
        ask: async (wish, which) => sum(await Promise.all(shown().map((letters) => letters.ask(wish, which)))),
      }
    },
    openSql: noSql,
    buildSql: noSql,
    rebuildSql: noSql,
    close: async () => {},
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
