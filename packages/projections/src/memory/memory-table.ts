// A table in memory: rows by key, as one generation of a view.
import type { Checkpoint } from '@narrative/core'
import type { BoundProjection } from '../definition/bind-projection.js'
import { ViewReplaced } from '../runtime/session.js'
import { checkpointMoved } from '../runtime/stopped.js'
import type { Changes, LetterChanges, TableStorage } from '../runtime/table-storage.js'
import type { Place } from '../runtime/work-share.js'
import { type Key, keyText, type Row } from '../table/row.js'
import { MemoryLetters } from './memory-letters.js'

/** Rows, checkpoints and dead letters that belong together. */
export class Generation {
  replaced = false

  /** @param number counts the rebuilds */
  constructor(
    readonly number = 1,
    readonly rows = new Map<string | number, Row>(),
    readonly checkpoints = new Map<string, Checkpoint>(),
    readonly letters = new MemoryLetters(),
  ) {}

  /** The same with another row, for sessions to begin anew with. */
  withRow(key: Key, row: Row | undefined, changes: LetterChanges): Generation {
    if (row === undefined) this.rows.delete(keyText(key))
    else this.rows.set(keyText(key), row)
    this.letters.change(changes)
    return new Generation(this.number, this.rows, this.checkpoints, this.letters)
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
    empty: generation.rows.size === 0,
    async load(keys: readonly Key[]) {
      return keys.map((key) => generation.rows.get(keyText(key))).filter((row) => row !== undefined)
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
      for (const { key, row } of rows) {
        if (row === undefined) generation.rows.delete(keyText(key))
        else generation.rows.set(keyText(key), row)
      }
      generation.letters.change(letters)
      for (const { to } of moves) generation.checkpoints.set(placeOf(to), to)
    },
    // What the checks of a row let pass, memory takes.
    refusals: async () => new Map(),
    asked: async (all) => generation.letters.asked(all),
  }
}
