// The tables of a projection in memory, as one generation of a view.
import type { Checkpoint } from '@narrative/core'
import type { BoundProjection } from '../definition/bind-projection.js'
import { ViewReplaced } from '../runtime/session.js'
import { checkpointMoved } from '../runtime/stopped.js'
import type { Changes, LetterChanges, TableStorage } from '../runtime/table-storage.js'
import type { Place } from '../runtime/work-share.js'
import type { Key, Row } from '../table/row.js'
import type { Table } from '../table/table.js'
import { MemoryLetters } from './memory-letters.js'
import { RowsByKey } from './rows-by-key.js'

/** Rows, checkpoints and dead letters that belong together. */
export class Generation {
  replaced = false

  /** @param number counts the rebuilds */
  constructor(
    readonly number = 1,
    private readonly tables = new Map<string, RowsByKey>(),
    readonly checkpoints = new Map<string, Checkpoint>(),
    readonly letters = new MemoryLetters(number),
  ) {}

  rowsOf(table: Table): RowsByKey {
    let rows = this.tables.get(table.name)
    if (rows === undefined) {
      rows = new RowsByKey(table)
      this.tables.set(table.name, rows)
    }
    return rows
  }

  get empty(): boolean {
    return [...this.tables.values()].every(({ size }) => size === 0)
  }

  /** The same with another row, for sessions to begin anew with. */
  withRow(table: Table, key: Key, row: Row | undefined, changes: LetterChanges): Generation {
    this.rowsOf(table).set(key, row)
    this.letters.change(changes)
    return new Generation(this.number, this.tables, this.checkpoints, this.letters)
  }

  isAt({ topic, partition, offset }: Checkpoint): boolean {
    return this.checkpoints.get(`${topic}/${partition}`)?.offset === offset
  }

  begin(partitions: readonly Place[]): void {
    for (const { topic, partition } of partitions) {
      const key = `${topic}/${partition}`
      if (!this.checkpoints.has(key)) this.checkpoints.set(key, { topic, partition, offset: 0, claim: null })
    }
  }

  /** Whether it has come at least as far as another one. */
  contains(other: Generation): boolean {
    return [...other.checkpoints].every(([place, { offset }]) => (this.checkpoints.get(place)?.offset ?? 0) >= offset)
  }
}

/** Keeps the rules of the Postgres storage: a commit is whole, and only happens from where the checkpoints are. */
export function memoryStorage(projection: BoundProjection, generation: Generation): TableStorage {
  return {
    checkpoints: [...generation.checkpoints.values()],
    parked: generation.letters.places,
    empty: generation.empty,
    async load({ table, columns, values }) {
      const rows = generation.rowsOf(table)
      if (columns !== table.key) return values.flatMap((some) => rows.find(columns, some))
      return values.map((key) => rows.get(key)).filter((row) => row !== undefined)
    },
    async commit({ rows, moves, letters }: Changes) {
      if (generation.replaced) throw new ViewReplaced()
      const placeOf = (c: Checkpoint) => `${c.topic}/${c.partition}`
      const strayed = moves.filter(({ from, to }) => generation.checkpoints.get(placeOf(to))?.offset !== from)
      if (strayed.length > 0)
        throw checkpointMoved(
          projection.name,
          strayed.map(({ from, to }) => `${placeOf(to)}@${from}`),
        )
      for (const { table, key, row } of rows) generation.rowsOf(table).set(key, row)
      generation.letters.change(letters)
      for (const { to } of moves) generation.checkpoints.set(placeOf(to), to)
    },
    // What the checks of a row let pass, memory takes.
    refusals: async () => new Map(),
    asked: async (all) => generation.letters.asked(all),
  }
}
