// Makes one row anew from the whole history of its key, while everything else goes on.
import type { Checkpoint, EventBatch, EventLog, RecordedEvent } from '@narrative/core'
import type { BoundProjection } from '../definition/bind-projection.js'
import { Attempt } from '../failures/attempt.js'
import type { LetterPlace } from '../failures/dead-letter.js'
import { ParkedEvents } from '../failures/parked-events.js'
import { type Key, keyText, type Row, toKey } from '../table/row.js'
import type { Table } from '../table/table.js'
import type { ReadModels } from './read-models.js'
import { TableFold } from './table-fold.js'
import type { RowAt } from './table-storage.js'

export interface RowContext {
  readonly projection: BoundProjection
  readonly store: ReadModels
  readonly eventLog: EventLog
}

/** @param given the key as users give it */
export async function rebuildRow({ projection, store, eventLog }: RowContext, given: unknown): Promise<void> {
  if (projection.target.kind === 'tables')
    throw new TypeError(
      `Projection ${projection.name} has several tables, whose rows are made of one another: none can be made anew by itself. Rebuild the whole projection.`,
    )
  if (projection.target.kind !== 'table') throw new TypeError(`Projection ${projection.name} has no table.`)
  const { table } = projection.target
  const key = toKey(table, given)
  const history = new RowHistory(projection, table, key, eventLog)
  await store.rebuildRow(projection, table, key, (checkpoints) => history.until(checkpoints))
}

/** Folds the events of one key, further and further. */
class RowHistory {
  private readonly fold: TableFold
  private readonly attempt: Attempt
  private readonly text: string | number
  private row: Row | undefined
  private from: readonly Checkpoint[] = []
  /** Read already, but after the checkpoints that were asked for. */
  private ahead: RecordedEvent[] = []
  private readonly settled: LetterPlace[] = []

  constructor(
    private readonly projection: BoundProjection,
    table: Table,
    key: Key,
    private readonly eventLog: EventLog,
  ) {
    this.fold = new TableFold(projection, table)
    this.attempt = new Attempt(new ParkedEvents(), projection)
    this.text = keyText(key)
  }

  async until(checkpoints: readonly Checkpoint[]): Promise<RowAt> {
    const ends = new Map(checkpoints.map((checkpoint) => [placeOf(checkpoint), checkpoint.offset]))
    const ahead = this.ahead
    this.ahead = []
    this.take(ahead, ends)
    const reached = new Map(this.from.map((checkpoint) => [placeOf(checkpoint), checkpoint]))
    const isThere = () => checkpoints.every((to) => (reached.get(placeOf(to))?.offset ?? 0) >= to.offset)
    if (!isThere()) {
      for await (const batch of this.batches()) {
        this.take(batch.events, ends)
        reached.set(placeOf(batch), batch.checkpoint)
        if (isThere()) break
      }
    }
    this.from = [...reached.values()]
    return { row: this.row, letters: { settled: this.settled, parked: this.attempt.letters(1, () => true) } }
  }

  private batches(): AsyncIterable<EventBatch> {
    // What cannot be read is no event of this row, as far as anybody can tell.
    const { categories } = this.projection
    return this.eventLog.subscribe({ categories, from: this.from, unreadable: 'give' })
  }

  private take(events: readonly RecordedEvent[], ends: ReadonlyMap<string, number>): void {
    const { all, rows, conditions } = this.fold.locate(
      events,
      () => true,
      (_event, text) => text === String(this.text),
    )
    const mine = all.filter(({ text }) => text === this.text)
    const isDue = ({ position }: RecordedEvent) => position.offset < (ends.get(placeOf(position)) ?? 0)
    // The bytes of an event are a window into what was fetched with it; these stay a little longer.
    this.ahead.push(
      ...mine.flatMap(({ recorded }) =>
        isDue(recorded) ? [] : [{ ...recorded, data: Uint8Array.from(recorded.data) }],
      ),
    )
    const due = mine.filter(({ recorded }) => isDue(recorded))
    for (const { recorded } of due) {
      // Parked before or not: it is applied now. Its key may not have been known when it was parked.
      this.settled.push(
        { ...recorded.position, key: String(this.text) },
        { ...recorded.position, key: recorded.streamId },
      )
    }
    const before = { byName: new Map([[this.text, this.row]]), found: [] }
    const changed = this.fold.fold({ all: due, rows, conditions }, before, () => true, this.attempt)
    const change = changed.get(this.text)
    if (change !== undefined) this.row = change.row
  }
}

function placeOf({ topic, partition }: { readonly topic: string; readonly partition: number }): string {
  return `${topic}/${partition}`
}
