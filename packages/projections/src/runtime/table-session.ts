// Folds batches into rows. While one transaction commits, the next batches are folded; they commit together.
//
// 1 decode and find the keys · 2 load the rows that are not known · 3 fold in memory · 4 gather the changed rows ·
// 5 commit rows and checkpoints. Only whole batches are gathered, so a checkpoint is always one the log gave us.
import type { Checkpoint, EventBatch, RecordedEvent } from '@narrative/core'
import type { BoundProjection } from '../definition/bind-projection.js'
import { EventView } from '../definition/projection-context.js'
import type { HandlerDefinition, ProjectionTarget } from '../definition/projection-definition.js'
import { type Key, keyOf, keyText, type Row, RowRefused, sameRow, toKey, toRow } from '../table/row.js'
import { RowCache } from './row-cache.js'
import type { Session, SessionListener } from './session.js'
import { stoppedAtEvent } from './stopped.js'
import type { Move, TableStorage } from './table-storage.js'

/** Events gathered at the most before a commit: more would only cost memory. */
const largestCommit = 20_000
/** A session that is behind waits this long for a fuller commit, milliseconds. */
const longestGathering = 100
/** Rows kept in memory. */
const cachedRows = 100_000

type KeyText = string | number

interface Step {
  readonly recorded: RecordedEvent
  readonly handler: HandlerDefinition
  readonly event: object
  readonly view: EventView
  readonly key: Key
  readonly text: KeyText
}

/** Changes that wait for their commit. */
class Gathered {
  events = 0
  readonly rows = new Map<KeyText, { readonly key: Key; readonly row: Row | undefined }>()
  readonly moves = new Map<string, Move>()
}

export class TableSession implements Session {
  readonly checkpoints: readonly Checkpoint[]
  private readonly target: ProjectionTarget & { kind: 'table' }
  private readonly cache: RowCache
  private readonly offsets = new Map<string, number>()
  private readonly behind = new Set<string>()
  private readonly instance: unknown
  private gathered = new Gathered()
  private committing: { readonly gathered: Gathered; readonly done: Promise<void> } | undefined
  private timer: NodeJS.Timeout | undefined
  private closed = false

  constructor(
    private readonly projection: BoundProjection,
    private readonly storage: TableStorage,
    private readonly listener: SessionListener,
  ) {
    this.target = projection.target as ProjectionTarget & { kind: 'table' }
    this.instance = projection.instance()
    this.cache = new RowCache(cachedRows, storage.empty)
    this.checkpoints = storage.checkpoints
    for (const checkpoint of storage.checkpoints) this.offsets.set(partitionOf(checkpoint), checkpoint.offset)
  }

  async apply(batch: EventBatch, replayEnd: number): Promise<void> {
    const steps = this.decode(batch, replayEnd)
    this.fold(steps, await this.rowsOf(steps))

    const partition = partitionOf(batch)
    const earlier = this.gathered.moves.get(partition)
    const from = earlier?.from ?? this.offsets.get(partition) ?? 0
    this.gathered.moves.set(partition, { from, to: batch.checkpoint })
    this.offsets.set(partition, batch.checkpoint.offset)
    this.gathered.events += batch.events.length
    if (batch.checkpoint.offset < batch.end) this.behind.add(partition)
    else this.behind.delete(partition)

    this.consider()
    if (this.gathered.events >= largestCommit) await this.committing?.done
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

  private decode(batch: EventBatch, replayEnd: number): Step[] {
    const steps: Step[] = []
    const { projection, target } = this
    for (const recorded of batch.events) {
      const handler = projection.handlers.get(recorded.type)
      if (handler === undefined) continue
      try {
        const event = projection.decode(recorded)
        const view = new EventView(recorded, recorded.position.offset < replayEnd)
        const key = toKey(target.table, target.key === undefined ? view.aggregateId : target.key(event, view))
        steps.push({ recorded, handler, event, view, key, text: keyText(key) })
      } catch (error) {
        throw stoppedAtEvent(projection.name, handler, recorded, error)
      }
    }
    return steps
  }

  /**
   * The rows of a batch as the batches before it left them: those of a commit to come, of one under way, known ones, and the rest from
   * the storage. A row that has to be loaded is in no transaction of ours under way, so what is committed is what it is.
   */
  private async rowsOf(steps: readonly Step[]): Promise<Map<KeyText, Row | undefined>> {
    const rows = new Map<KeyText, Row | undefined>()
    const unknown = new Map<KeyText, Key>()
    for (const { key, text } of steps) {
      if (rows.has(text)) continue
      const waiting = this.gathered.rows.get(text) ?? this.committing?.gathered.rows.get(text)
      rows.set(text, waiting === undefined ? this.cache.get(text) : waiting.row)
      if (waiting === undefined && !this.cache.has(text)) unknown.set(text, key)
    }
    if (unknown.size === 0) return rows
    for (const row of await this.storage.load([...unknown.values()]))
      rows.set(keyText(keyOf(this.target.table, row)), row)
    for (const text of unknown.keys()) this.cache.set(text, rows.get(text))
    return rows
  }

  private fold(steps: readonly Step[], before: ReadonlyMap<KeyText, Row | undefined>): void {
    const folded = new Map<KeyText, { readonly key: Key; row: Row | undefined }>()
    for (const step of steps) {
      let entry = folded.get(step.text)
      if (entry === undefined) {
        entry = { key: step.key, row: before.get(step.text) }
        folded.set(step.text, entry)
      }
      entry.row = this.foldOne(step, entry.row)
    }
    for (const [text, entry] of folded) {
      if (sameRow(this.target.table, before.get(text), entry.row)) continue
      this.gathered.rows.set(text, entry)
      this.cache.set(text, entry.row)
    }
  }

  private foldOne({ handler, event, view, recorded, text }: Step, row: Row | undefined): Row | undefined {
    const { table } = this.target
    try {
      const next = handler.handle.call(this.instance, row, event, view)
      if (next === undefined) return undefined
      if (next === row) return row
      const checked = toRow(table, next)
      if (keyText(keyOf(table, checked)) !== text) {
        throw new RowRefused(
          `it returned a row with the key ${keyText(keyOf(table, checked))}, but the event concerns the row ${text}`,
        )
      }
      return checked
    } catch (error) {
      throw stoppedAtEvent(this.projection.name, handler, recorded, error)
    }
  }

  /** Commits now, unless a commit is under way, or more is on its way and a fuller commit is cheaper. */
  private consider(): void {
    if (this.committing !== undefined || this.gathered.moves.size === 0 || this.closed) return
    if (this.behind.size === 0 || this.gathered.events >= largestCommit) {
      this.commitInBackground()
      return
    }
    this.timer ??= setTimeout(() => {
      this.timer = undefined
      if (this.committing === undefined && this.gathered.moves.size > 0) this.commitInBackground()
    }, longestGathering)
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
