// The checkpoints of one session: every transaction of it begins by moving them from just where the last one left them.
import type { Checkpoint } from '@narrative/core'
import type { ClientBase } from 'pg'
import type { BoundProjection } from '../definition/bind-projection.js'
import { ViewReplaced } from '../runtime/session.js'
import { checkpointMoved } from '../runtime/stopped.js'
import type { Move } from '../runtime/table-storage.js'
import { moveCheckpoints, type StoredCheckpoint } from './checkpoints.js'
import { currentGeneration } from './generations.js'

export class ClaimedCheckpoints {
  readonly all: readonly Checkpoint[]
  private readonly revisions: Map<string, number>

  constructor(
    private readonly projection: BoundProjection,
    private readonly generation: number,
    stored: readonly StoredCheckpoint[],
  ) {
    this.all = stored.map(({ checkpoint }) => checkpoint)
    this.revisions = new Map(stored.map(({ checkpoint, revision }) => [placeOf(checkpoint), revision]))
  }

  /**
   * First of all in a transaction: it finds out a rival before any work, and holds him off until the end.
   * @throws NarrativeError `CHECKPOINT_MOVED`
   * @throws ViewReplaced
   */
  async move(client: ClientBase, moves: readonly Move[]): Promise<void> {
    const { name } = this.projection
    const revised = moves.map((move) => ({ ...move, revision: this.revisions.get(placeOf(move.to)) ?? 0 }))
    if ((await moveCheckpoints(client, name, this.generation, revised)) === moves.length) return
    const current = await currentGeneration(client, name)
    if (current !== undefined && current.generation !== this.generation) throw new ViewReplaced()
    throw checkpointMoved(
      name,
      moves.map(({ from, to }) => `${placeOf(to)}@${from}`),
    )
  }

  /** After the transaction. */
  committed(moves: readonly Move[]): void {
    for (const { to } of moves) this.revisions.set(placeOf(to), (this.revisions.get(placeOf(to)) ?? 0) + 1)
  }
}

function placeOf({ topic, partition }: Checkpoint): string {
  return `${topic}/${partition}`
}
