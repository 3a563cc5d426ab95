// The ports between following the log and keeping a read model: what a follower needs of it, whatever it is kept in.
import type { Checkpoint, EventBatch, LogPartition } from '@narrative/core'

/** Told by a session what became of the batches it was given. */
export interface SessionListener {
  /** The read model now contains everything before these checkpoints. */
  committed(checkpoints: readonly Checkpoint[]): void
  /** What was applied since the last commit is lost; the session is of no use any more. */
  failed(error: unknown): void
}

/** One uninterrupted run over a read model. After any error it is thrown away and another one opened. */
export interface Session {
  /** Where to go on. */
  readonly checkpoints: readonly Checkpoint[]
  /**
   * Applies a batch; it may be committed later, together with the next ones.
   * @param replayEnd events before this offset were in the log when the projection started
   */
  apply(batch: EventBatch, replayEnd: number): void | Promise<void>
  /** Resolves when everything applied is committed. */
  flush(): Promise<void>
  /** Drops what is not committed; resolves when nothing is under way any more. Never rejects. */
  close(): Promise<void>
}

/** Something that can be followed into. */
export type OpenSession = (partitions: readonly LogPartition[], listener: SessionListener) => Promise<Session>

/** Thrown when the view was replaced by a rebuilt one: open another session and go on with that. */
export class ViewReplaced extends Error {}
