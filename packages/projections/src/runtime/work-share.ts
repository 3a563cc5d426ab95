// Which partitions of a projection are followed in this process: shared by a group of readers, or all of them.
import type { EventLog, LogPartition, ReaderShare } from '@narrative/core'
import type { BoundProjection } from '../definition/bind-projection.js'

/** A partition, by its place. */
export type Place = Pick<LogPartition, 'topic' | 'partition'>

/**
 * Takes part in the work on a projection.
 *
 * With one worker at a time, whoever has the first partition has them all: the group decides who works, and gives the work to another
 * one when he is gone.
 */
export function shareWork(
  eventLog: EventLog,
  { group, categories, workers }: Pick<BoundProjection, 'group' | 'categories' | 'workers'>,
  all: readonly LogPartition[],
  onAssigned: (mine: readonly Place[]) => void,
): Promise<ReaderShare> {
  const alone = { leave: async () => {} }
  if (eventLog.share === undefined) {
    onAssigned(all)
    return Promise.resolve(alone)
  }
  const [first] = all
  const isFirst = ({ topic, partition }: Place) => topic === first?.topic && partition === first.partition
  return eventLog.share({
    group,
    categories,
    onAssigned(mine) {
      if (workers === 'many') onAssigned(mine)
      else onAssigned(mine.some(isFirst) ? all : [])
    },
  })
}
