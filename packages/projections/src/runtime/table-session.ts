// Folds batches into the rows of a projection's tables. While one transaction commits, the next batches are folded; they commit together.
//
// 1 decode and find the keys · 2 load the rows that are not known · 3 fold in memory · 4 gather the changed rows ·
// 5 commit rows and checkpoints. Only whole batches are gathered, so a checkpoint is always one the log gave us; what
// cannot be applied of a batch is parked in the same transaction.
import { type Checkpoint, type EventBatch, formatPosition, type Position, type RecordedEvent } from '@narrative/core'
import type { BoundProjection } from '../definition/bind-projection.js'
import { tablesOf } from '../definition/projection-definition.js'
import { Attempt, tryOften } from '../failures/attempt.js'
import type { AskedLetter, DeadLetter, LetterPlace } from '../failures/dead-letter.js'
import { ParkedEvents } from '../failures/parked-events.js'
import { byPartition, parkedAgain } from '../failures/redrive.js'
import type { Conditions } from '../table/condition.js'
import { type Key, keyOf, type Row } from '../table/row.js'
import type { Table } from '../table/table.js'
import type { Fold, IsReplay, KnownRows, RowName, Steps } from './fold.js'
import { foldOf } from './fold-of.js'
import { foldWithoutRefused } from './refused-rows.js'
import { RowCache } from './row-cache.js'
import { type Session, type SessionListener, WriteRefused } from './session.js'
import { stoppedAtEvent, stoppedAtWrite } from './stopped.js'
import type { ChangedRow, Move, TableStorage } from './table-storage.js'

/** How much a session holds in memory. */
const whileFollowing = {
  /** Events gathered at the most before a commit: more would only cost memory. */
  largestCommit: 20_000,
  /** A session that is behind waits this long for a fuller commit, milliseconds. */
  longestGathering: 100,
  /** Of rows kept in memory. */
  cachedBytes: 32 * 2 ** 20,
}

/** A rebuild meets all rows, and soon ends: what it has in memory it does not load, which took a third of its time. */
export const whileRebuilding = { ...whileFollowing, cachedBytes: 128 * 2 ** 20 }

/** Changes that wait for their commit. */
class Gathered {
  events = 0
  readonly rows = new Map<RowName, ChangedRow>()
  readonly moves = new Map<string, Move>()
  readonly settled: LetterPlace[] = []
  readonly parked: DeadLetter[] = []
}

export class TableSession implements Session {
  readonly checkpoints: readonly Checkpoint[]
  private readonly fold: Fold
  private readonly cache: RowCache
  private readonly letters: ParkedEvents
  /** Where each partition is, with what is gathered. */
  private readonly reached = new Map<string, Checkpoint>()
  private readonly behind = new Set<string>()
  private gathered = new Gathered()
  private committing: { readonly gathered: Gathered; readonly done: Promise<void> } | undefined
  private timer: NodeJS.Timeout | undefined
  /** Whether the next commit holds one batch alone, every row of which the store would take by itself. */
  private careful = false
  private closed = false

  constructor(
    private readonly projection: BoundProjection,
    private readonly storage: TableStorage,
    private readonly listener: SessionListener,
    private readonly suspects: readonly Checkpoint[] = [],
    private readonly limits = whileFollowing,
  ) {
    this.fold = foldOf(projection)
    this.cache = new RowCache(limits.cachedBytes, storage.empty)
    this.letters = new ParkedEvents(storage.parked)
    this.checkpoints = storage.checkpoints
    for (const checkpoint of storage.checkpoints) this.reached.set(partitionOf(checkpoint), checkpoint)
  }

  get parked(): number {
    return this.letters.size
  }

  isParked(position: Position): boolean {
    return this.letters.has(position)
  }

  async apply(batch: EventBatch, replayEnd: number): Promise<void> {
    const partition = partitionOf(batch)
    await this.takeCare(this.isSuspect(batch))
    const isReplay = (event: RecordedEvent) => event.position.offset < replayEnd
    const { attempt, tried, changed } = await this.tryOut(batch.events, isReplay)
    if (!attempt.complete) this.park(attempt.letters(tried, isReplay))
    this.gather(changed, batch.checkpoint)
    this.gathered.events += batch.events.length
    if (batch.checkpoint.offset < batch.end) this.behind.add(partition)
    else this.behind.delete(partition)

    if (this.careful || this.isStopping(attempt)) await this.flush()
    this.assertGoingOn(attempt)
    this.consider()
    if (this.gathered.events >= this.limits.largestCommit) await this.committing?.done
  }

  async attend(all: boolean): Promise<boolean> {
    if (this.letters.size === 0) return false
    const asked = await this.storage.asked(all)
    await this.takeCare(true)
    const due = this.fold.whole ? this.letters.withTheirSiblings(asked) : asked
    for (const group of byPartition(due, this.projection)) await this.settle(group)
    return asked.length > 0
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

  /** Letters of one partition: applies those to be redriven as if they came now; what fails again is parked again. */
  private async settle(asked: readonly AskedLetter[]): Promise<void> {
    const redriven = asked.filter(({ wish }) => wish === 'redrive').map(({ letter }) => letter)
    // Out of the way first: only earlier ones that stay may hold them up.
    for (const { letter } of asked) this.letters.remove(letter)
    const replays = new Set(redriven.filter(({ isReplay }) => isReplay).map(({ offset }) => offset))
    const isReplay = (event: RecordedEvent) => replays.has(event.position.offset)
    // An event may be parked for several of its rows: it is applied to those alone, and to all when they were not known.
    const events = new Map(redriven.map(({ event }) => [event.position.offset, event]))
    const chosen = new Set(redriven.map(({ offset, key }) => `${offset}/${key}`))
    const only = ({ position, streamId }: RecordedEvent, key: string) =>
      [key, streamId, formatPosition(position)].some((each) => chosen.has(`${position.offset}/${each}`))
    const { attempt, tried, changed } = await this.tryOut([...events.values()], isReplay, only)
    this.gathered.settled.push(...asked.map(({ letter }) => letter))
    this.park(parkedAgain(attempt.letters(tried, isReplay), redriven))
    this.gather(changed, this.reached.get(partitionOf(asked[0]!.letter))!)
    await this.flush()
    this.assertGoingOn(attempt)
  }

  private async tryOut(events: readonly RecordedEvent[], isReplay: IsReplay, only?: Parameters<Fold['locate']>[2]) {
    const steps = this.fold.locate(events, isReplay, only)
    const before = await this.knownRows(steps)
    const { onFailure } = this.projection
    const fold = () => {
      const attempt = new Attempt(this.letters, this.projection)
      return { attempt, changed: this.fold.fold(steps, before, isReplay, attempt) }
    }
    const { result, tried } = await tryOften(
      onFailure,
      async (error, count) => {
        await this.listener.retry(error, count)
        return true
      },
      async () => (this.careful ? foldWithoutRefused(this.storage, this.fold, steps, fold) : fold()),
    )
    return { ...result, tried }
  }

  private gather(changed: ReadonlyMap<RowName, ChangedRow>, to: Checkpoint): void {
    for (const [name, row] of changed) {
      this.gathered.rows.set(name, row)
      this.cache.set(name, row.row)
    }
    const partition = partitionOf(to)
    const from = this.gathered.moves.get(partition)?.from ?? this.reached.get(partition)?.offset ?? 0
    this.gathered.moves.set(partition, { from, to })
    this.reached.set(partition, to)
  }

  private park(letters: readonly DeadLetter[]): void {
    for (const letter of letters) this.letters.add(letter)
    this.gathered.parked.push(...letters)
  }

  /** Whether a commit that was refused may have been refused because of this batch. */
  private isSuspect({ topic, partition, checkpoint, events }: EventBatch): boolean {
    const first = events[0]?.position.offset ?? checkpoint.offset
    return this.suspects.some((to) => to.topic === topic && to.partition === partition && first < to.offset)
  }

  /** From here on, or no more: nothing else in the commit, so that a refusal is about these events. */
  private async takeCare(careful: boolean): Promise<void> {
    if (careful) await this.flush()
    this.careful = careful
  }

  private isStopping({ failed }: Attempt): boolean {
    return failed.length > 0 && this.projection.onFailure.action === 'stop'
  }

  private assertGoingOn(attempt: Attempt): void {
    const [first] = attempt.failed
    if (first === undefined || !this.isStopping(attempt)) return
    throw stoppedAtEvent(this.projection.name, first.handler, first.event, first.error)
  }

  /**
   * Rows as the batches before left them: those of a commit to come, of one under way, known ones, and the rest from the storage.
   * A row that has to be loaded is in no transaction of ours under way, so what is committed is what it is.
   */
  private async knownRows({ rows, conditions }: Steps): Promise<KnownRows> {
    const byName = new Map<RowName, Row | undefined>()
    const unknown = new Map<Table, { readonly names: RowName[]; readonly keys: Key[] }>()
    for (const [name, { table, key }] of rows) {
      const waiting = this.gathered.rows.get(name) ?? this.committing?.gathered.rows.get(name)
      if (waiting !== undefined) byName.set(name, waiting.row)
      else if (this.cache.has(name)) byName.set(name, this.cache.get(name))
      else {
        const some = unknown.get(table)
        if (some === undefined) unknown.set(table, { names: [name], keys: [key] })
        else some.names.push(name) && some.keys.push(key)
      }
    }
    for (const [table, { names, keys }] of unknown) {
      for (const row of await this.storage.load({ table, columns: table.key, values: keys }))
        byName.set(this.fold.nameOf(table, keyOf(table, row)), row)
      for (const name of names) this.cache.set(name, byName.get(name))
    }
    const found = conditions.empty ? [] : await this.find(conditions)
    for (const { table, key, row } of found) {
      const name = this.fold.nameOf(table, key)
      byName.set(name, row)
      this.cache.set(name, row)
    }
    return { byName, found }
  }

  /** The rows that meet conditions. Of those in a commit to come, or in one under way, the storage knows no more than what they were. */
  private async find(conditions: Conditions): Promise<readonly ChangedRow[]> {
    // As they are now: while the storage is asked, one commit may end and the next one begin.
    const next = this.gathered.rows
    const underWay = this.committing?.gathered.rows
    const found: ChangedRow[] = []
    for (const lookup of conditions.lookups) {
      const { table } = lookup
      for (const row of await this.storage.load(lookup)) {
        const key = keyOf(table, row)
        const name = this.fold.nameOf(table, key)
        if (!next.has(name) && !underWay?.has(name)) found.push({ table, key, row })
      }
    }
    const take = (changed: ChangedRow) => {
      if (changed.row !== undefined && conditions.met(changed.table, changed.row).length > 0) found.push(changed)
    }
    for (const changed of next.values()) take(changed)
    for (const [name, changed] of underWay ?? []) if (!next.has(name)) take(changed)
    return found
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
    const { settled, parked } = gathered
    const moves = [...gathered.moves.values()]
    const rows = [...gathered.rows.values()]
    const done = this.storage.commit({ rows, moves, letters: { settled, parked } }).then(
      () => {
        this.committing = undefined
        this.listener.committed(moves.map((move) => move.to))
        if (parked.length > 0) this.listener.parked(parked)
        this.consider()
      },
      (error: unknown) => {
        throw this.explain(error, rows.length)
      },
    )
    this.committing = { gathered, done }
    return done
  }

  /** A refusal is worth a second look at the batches one by one; refused there as well, it is beyond us. */
  private explain(error: unknown, rows: number): unknown {
    if (!(error instanceof WriteRefused) || !this.careful) return error
    const tables = tablesOf(this.projection.target).map(({ name }) => name)
    const what = `writing ${rows} rows to table${tables.length > 1 ? 's' : ''} ${tables.join(', ')}`
    return stoppedAtWrite(this.projection.name, what, error.cause)
  }
}

function partitionOf({ topic, partition }: { readonly topic: string; readonly partition: number }): string {
  return `${topic}/${partition}`
}
