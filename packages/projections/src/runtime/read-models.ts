// The port behind projections(classes, { store }): where tables and checkpoints are kept.
import type { Checkpoint, Finding, Logger } from '@narrative/core'
import type { BoundProjection } from '../definition/bind-projection.js'
import type { DeadLetters } from '../failures/dead-letter.js'
import type { Key } from '../table/row.js'
import type { Table } from '../table/table.js'
import type { ReaderOf } from '../table/table-reader.js'
import type { CircuitBreaker } from './circuit-breaker.js'
import type { ControlRoom } from './control.js'
import type { OpenSession } from './session.js'
import type { RowAt, TableStorage } from './table-storage.js'
import type { Place } from './work-share.js'

/** A new generation of a view, built beside the one that is read. */
export interface Build {
  /**
   * Puts the new generation in the place of the old one.
   * @param catchUp folds up to these checkpoints, at which the old generation is being held
   */
  publish(catchUp: (old: readonly Checkpoint[]) => Promise<void>): Promise<void>
  /** By which those who build it at the same time share the work; undefined when this process does it alone. */
  readonly group: string | undefined
  /** How far the build is, by all who work on it. */
  checkpoints(): Promise<readonly Checkpoint[]>
  /** Whether somebody wants it to end. */
  cancelled(): Promise<boolean>
  /** Whether it is in place, put there by whomever. */
  published(): Promise<boolean>
  /**
   * Lets go of the build. Unpublished, it stays for a rebuild that resumes it.
   * @param discard throws an unpublished build away, unless others go on with it
   */
  close(discard: boolean): Promise<void>
}

/** That of a projection with tables. */
export interface ViewBuild extends Build {
  /** The storage to fold into. */
  open(partitions: readonly Place[]): Promise<TableStorage>
}

/** That of a free-SQL projection. */
export interface SqlBuild extends Build {
  readonly open: OpenSession
}

/** What kind of build is wanted. */
export interface BuildOptions {
  readonly resume: boolean
  readonly keepOld: boolean
}

/** A store of read models: `memoryReadModels()`, `postgresReadModels({ url })`. */
export interface ReadModels {
  readonly name: string
  /** Whether free-SQL projections can run. */
  readonly sql: boolean
  /** Creates what the projections need, or says what differs from their declarations, a sentence each. */
  setup(projections: readonly BoundProjection[], logger: Logger): Promise<readonly string[]>
  /** What `setup` would meet; changes nothing. What cannot be reached is a finding, too. */
  inspect?(projections: readonly BoundProjection[]): Promise<readonly Finding[]>
  reader<T extends Table>(table: T): ReaderOf<T>
  openTable(projection: BoundProjection, partitions: readonly Place[]): Promise<TableStorage>
  buildTable(projection: BoundProjection, options: BuildOptions): Promise<ViewBuild>
  /**
   * Puts the table that a rebuild kept in the place of the present one, which is kept in its turn.
   * @throws NarrativeError `NOTHING_KEPT`
   */
  switchBack(projection: BoundProjection): Promise<void>
  /** How far the view that is read has come, by whoever works on it; undefined when that is this process alone. */
  checkpoints?(projection: Pick<BoundProjection, 'name'>): Promise<readonly Checkpoint[]>
  /**
   * Writes one row of the view that is read anew.
   * @param rowAt gives the row at some checkpoints; asked more than once, each time for the same or later ones
   */
  rebuildRow(
    projection: BoundProjection,
    table: Table,
    key: Key,
    rowAt: (checkpoints: readonly Checkpoint[]) => Promise<RowAt>,
  ): Promise<void>
  /** Empties the view that is read; its workers begin at offset 0. */
  reset(projection: BoundProjection): Promise<void>
  /** By which all who work with it pause while it is away; undefined when it cannot be. */
  readonly breaker?: CircuitBreaker | undefined
  /** How word gets to workers, wherever they are. */
  readonly control: ControlRoom
  /** What is parked in the view that is read. */
  letters(projection: BoundProjection): DeadLetters
  /** Sessions of a free-SQL projection. */
  openSql(projection: BoundProjection): OpenSession
  /**
   * Builds the tables of a free-SQL projection beside those that are read; undefined when that cannot be, because their setup says
   * where they are, or no schema can be made for them.
   */
  buildSql(projection: BoundProjection, options: BuildOptions): Promise<SqlBuild | undefined>
  /** Empties the tables of a free-SQL projection and replays it, in one transaction: readers see the old rows until its end. */
  rebuildSql(projection: BoundProjection, replay: (open: OpenSession) => Promise<void>): Promise<void>
  close(): Promise<void>
}
