// The port for the progress of readers that keep their state elsewhere than in the same transaction.
import type { Checkpoint } from './event-log.js'

/** Keeps one checkpoint per reader and partition. */
export interface CheckpointStore {
  load(reader: string): Promise<readonly Checkpoint[]>
  /**
   * Moves a checkpoint if it is still where the caller left it.
   *
   * @param expectedOffset the offset of the stored checkpoint, or undefined when there is none yet
   * @returns false when somebody else moved it: then nothing was changed
   */
  save(reader: string, checkpoint: Checkpoint, expectedOffset: number | undefined): Promise<boolean>
  /** Forgets every checkpoint of a reader. */
  reset(reader: string): Promise<void>
}
