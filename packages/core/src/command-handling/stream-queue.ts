// Commands to one stream are handled one at a time in an instance: racing them would only make conflicts.
import type { StreamId } from '../messages/stream-id.js'

/** Runs tasks in order per stream, and side by side across streams. */
export class StreamQueue {
  private readonly tails = new Map<StreamId, Promise<unknown>>()

  run<T>(streamId: StreamId, task: () => Promise<T>): Promise<T> {
    const tail = this.tails.get(streamId)
    const current = tail === undefined ? task() : tail.then(task, task)
    this.tails.set(streamId, current)
    const leave = () => {
      if (this.tails.get(streamId) === current) this.tails.delete(streamId)
    }
    current.then(leave, leave)
    return current
  }
}
