import type { CheckpointStore } from '../event-store/checkpoint-store.js'
import type { Checkpoint } from '../event-store/event-log.js'

/** Checkpoints for read models that live and die with the process. */
export class InMemoryCheckpointStore implements CheckpointStore {
  private readonly readers = new Map<string, Map<string, Checkpoint>>()

  async load(reader: string): Promise<readonly Checkpoint[]> {
    return [...(this.readers.get(reader)?.values() ?? [])]
  }

  async save(reader: string, checkpoint: Checkpoint, expectedOffset: number | undefined): Promise<boolean> {
    const checkpoints = this.readers.get(reader) ?? new Map<string, Checkpoint>()
    const key = `${checkpoint.topic}/${checkpoint.partition}`
    if (checkpoints.get(key)?.offset !== expectedOffset) return false
    this.readers.set(reader, checkpoints.set(key, { ...checkpoint }))
    return true
  }

  async reset(reader: string): Promise<void> {
    this.readers.delete(reader)
  }
}
