// Folds batches into rows. While one transaction commits, the next batches are folded; they commit together.
//
// 1 decode and find the keys · 2 load the rows that are not known · 3 fold in memory · 4 gather the changed rows ·
// 5 commit rows and checkpoints. Only whole batches are gathered, so a checkpoint is always one the log gave us.
import type { Checkpoint, EventBatch } from '@narrative/core'
import type { BoundProjection } from '../definition/bind-projection.js'
import type { ProjectionTarget } from '../definition/projection-definition.js'
import { type Key, keyOf, keyText, type Row } from '../table/row.js'
import type { Table } from '../table/table.js'
import { RowCache } from './row-cache.js'
import type { Session, SessionListener } from './session.js'
import { type ChangedRow, type KeyText, TableFold } from './table-fold.js'
import type { Move, TableStorage } from './table-storage.js'

/** How much a session holds in memory. */
const generous = {
  /** Events gathered at the most before a commit: more would only cost memory. */
  largestCommit: 20_000,
  /** A session that is behind waits this long for a fuller commit, milliseconds. */
  longestGathering: 100,
  /** Rows kept in memory. */
  cachedRows: 100_000,
}

/** Changes that wait for their commit. */
class Gathered {
  events = 0
  readonly rows = new Map<KeyText, ChangedRow>()
  readonly moves = new Map<string, Move>()
}

export class TableSession implements Session {
  readonly checkpoints: readonly Checkpoint[]
  private readonly fold: TableFold
  private readonly table: Table
  private readonly cache: RowCache
  private readonly offsets = new Map<string, number>()
  private readonly behind = new Set<string>()
  private gathered = new Gathered()
  private committing: { readonly gathered: Gathered; readonly done: Promise<void> } | undefined
  private timer: NodeJS.Timeout | undefined
  private closed = false

  constructor(
    projection: BoundProjection,
    private readonly storage: TableStorage,
    private readonly listener: SessionListener,
    private readonly limits = generous,
  ) {
    const target = projection.target as ProjectionTarget & { kind: 'table' }
    this.table = target.table
    this.fold = new TableFold(projection, target)
    this.cache = new RowCache(limits.cachedRows, storage.empty)
    this.checkpoints = storage.checkpoints
    for (const checkpoint of storage.checkpoints) this.offsets.set(partitionOf(checkpoint), checkpoint.offset)
  }

  async apply(batch: EventBatch, replayEnd: number): Promise<void> {
    const steps = this.fold.locate(batch, replayEnd)
    for (const [text, changed] of this.fold.fold(steps, await this.rowsOf(steps.keys))) {
      this.gathered.rows.set(text, changed)
      this.cache.set(text, changed.row)
    }

    const partition = partitionOf(batch)
    const earlier = this.gathered.moves.get(partition)
    const from = earlier?.from ?? this.offsets.get(partition) ?? 0
    this.gathered.moves.set(partition, { from, to: batch.checkpoint })
    this.offsets.set(partition, batch.checkpoint.offset)
    this.gathered.events += batch.events.length
    if (batch.checkpoint.offset < batch.end) this.behind.add(partition)
    else this.behind.delete(partition)

    this.consider()
    if (this.gathered.events >= this.limits.largestCommit) await this.committing?.done
  }

  async flush(): Promise<void> {
    while (this.committing !== undefined || this.gathered.moves.size > 0) await (this.committing?.done ?? this.commit())
  }

  async close(): Promise<void> {
    this.closed = true
    clearTimeout(this.timer)
    // A commit under way must be over before another session asks where the checkpoints are; its outcome is for that one to see.
    await this.committing?.done.catch(() => {})
  }

  /**
   * Rows as the batches before left them: those of a commit to come, of one under way, known ones, and the rest from the storage.
   * A row that has to be loaded is in no transaction of ours under way, so what is committed is what it is.
   */
  private async rowsOf(keys: ReadonlyMap<KeyText, Key>): Promise<ReadonlyMap<KeyText, Row | undefined>> {
    const rows = new Map<KeyText, Row | undefined>()
    const unknown: Key[] = []
    for (const [text, key] of keys) {
      const waiting = this.gathered.rows.get(text) ?? this.committing?.gathered.rows.get(text)
      if (waiting === undefined && !this.cache.has(text)) unknown.push(key)
      else rows.set(text, waiting === undefined ? this.cache.get(text) : waiting.row)
    }
    if (unknown.length === 0) return rows
    for (const row of await this.storage.load(unknown)) rows.set(keyText(keyOf(this.table, row)), row)
    for (const key of unknown) this.cache.set(keyText(key), rows.get(keyText(key)))
    return rows
  }

  /** Commits now, unless a commit is under way, or more is on its way and a fuller commit is cheaper. */
  private consider(): void {
    if (this.committing !== undefined || this.gathered.moves.size === 0 || this.closed) return
    if (this.behind.size === 0 || this.gathered.events >= this.limits.largestCommit) {
      this.commitInBackground()
      return
    }
    this.timer ??= setTimeout(() => {
      this.timer = undefined
      if (this.committing === undefined && this.gathered.moves.size > 0) this.commitInBackground()
    }, this.limits.longestGathering)
  }

  private commitInBackground(): void {
    this.commit().catch((error: unknown) => this.listener.failed(error))
  }

  private commit(): Promise<void> {
    clearTimeout(this.timer)
    this.timer = undefined
    const gathered = this.gathered
    this.gathered = new Gathered()
    const upserts: Row[] = []
    const deletes: Key[] = []
    for (const { key, row } of gathered.rows.values()) {
      if (row === undefined) deletes.push(key)
      else upserts.push(row)
    }
    const moves = [...gathered.moves.values()]
    const done = this.storage.commit({ upserts, deletes, moves }).then(() => {
      this.committing = undefined
      this.listener.committed(moves.map((move) => move.to))
      this.consider()
    })
    this.committing = { gathered, done }
    return done
  }
}

function partitionOf({ topic, partition }: { readonly topic: string; readonly partition: number }): string {
  return `${topic}/${partition}`
}
