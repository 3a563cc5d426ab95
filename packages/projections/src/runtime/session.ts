// The ports between following the log and keeping a read model: what a follower needs of it, whatever it is kept in.
import type { Checkpoint, EventBatch, Position } from '@narrative/core'
import type { DeadLetter } from '../failures/dead-letter.js'
import type { Place } from './work-share.js'

/** Told by a session what became of the batches it was given. */
export interface SessionListener {
  /** The read model now contains everything before these checkpoints. */
  committed(checkpoints: readonly Checkpoint[]): void
  /** What was applied since the last commit is lost; the session is of no use any more. */
  failed(error: unknown): void
  /** Resolves when it is time to try a batch again; rejects when there is no time left. */
  retry(error: unknown, tried: number): Promise<void>
  /** These events were parked. */
  parked(letters: readonly DeadLetter[]): void
}

/** One uninterrupted run over a read model. After any error it is thrown away and another one opened. */
export interface Session {
  /** Where to go on. */
  readonly checkpoints: readonly Checkpoint[]
  /** How many events are parked. */
  readonly parked: number
  isParked(position: Position): boolean
  /**
   * Applies a batch; it may be committed later, together with the next ones.
   * @param replayEnd events before this offset were in the log when the projection started
   */
  apply(batch: EventBatch, replayEnd: number): void | Promise<void>
  /**
   * Does what was asked of dead letters, the first ones of them.
   * @param all redrives every one, asked for or not
   * @returns whether there was anything to do
   */
  attend(all: boolean): Promise<boolean>
  /** Resolves when everything applied is committed. */
  flush(): Promise<void>
  /** Drops what is not committed; resolves when nothing is under way any more. Never rejects. */
  close(): Promise<void>
}

/**
 * Something that can be followed into.
 * @param suspects where a write was refused: up to these checkpoints, find out which events are to blame
 */
export type OpenSession = (
  partitions: readonly Place[],
  listener: SessionListener,
  suspects: readonly Checkpoint[],
) => Promise<Session>

/** Thrown when the view was replaced by a rebuilt one: open another session and go on with that. */
export class ViewReplaced extends Error {}

/** Thrown when the store refused what several batches had made together: go through them one by one. */
export class WriteRefused extends Error {
  constructor(
    readonly reached: readonly Checkpoint[],
    cause: unknown,
  ) {
    super('The store refused a write.', { cause })
  }
}
