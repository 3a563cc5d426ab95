// A table in memory: rows by key, as one generation of a view.
import type { Checkpoint, LogPartition } from '@narrative/core'
import type { BoundProjection } from '../definition/bind-projection.js'
import { ViewReplaced } from '../runtime/session.js'
import { checkpointMoved } from '../runtime/stopped.js'
import type { Changes, TableStorage } from '../runtime/table-storage.js'
import { type Key, keyOf, keyText, type Row } from '../table/row.js'
import type { Table } from '../table/table.js'

/** Rows and checkpoints that belong together. */
export class Generation {
  readonly rows = new Map<string | number, Row>()
  readonly checkpoints = new Map<string, Checkpoint>()
  replaced = false

  begin(partitions: readonly LogPartition[]): void {
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
export function memoryStorage(projection: BoundProjection, table: Table, generation: Generation): TableStorage {
  return {
    checkpoints: [...generation.checkpoints.values()],
    empty: generation.rows.size === 0,
    async load(keys: readonly Key[]) {
      return keys.map((key) => generation.rows.get(keyText(key))).filter((row) => row !== undefined)
    },
    async commit({ upserts, deletes, moves }: Changes) {
      if (generation.replaced) throw new ViewReplaced()
      const placeOf = (c: Checkpoint) => `${c.topic}/${c.partition}`
      const strayed = moves.filter(({ from, to }) => generation.checkpoints.get(placeOf(to))?.offset !== from)
      if (strayed.length > 0)
        throw checkpointMoved(
          projection.name,
          strayed.map(({ from, to }) => `${placeOf(to)}@${from}`),
        )
      for (const row of upserts) generation.rows.set(keyText(keyOf(table, row)), row)
      for (const key of deletes) generation.rows.delete(keyText(key))
      for (const { to } of moves) generation.checkpoints.set(placeOf(to), to)
    },
  }
}
