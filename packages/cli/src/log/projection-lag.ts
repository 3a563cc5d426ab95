// How far a read model is behind the log: from its checkpoints, and the log as it is now.
import type { ProjectionDefinition } from '@narrative/projections'
import { followedBy, type Project } from '../project.js'
import { type PresentLogOptions, presentLog } from './present-log.js'

/** What a read model does not contain yet. */
export interface ProjectionLag {
  /** Whether anybody ever worked on it. */
  readonly started: boolean
  /** Records of the log; the log's own few count, too. */
  readonly events: number
  /** The age of the oldest event that it does not contain; 0 when there is none. */
  readonly seconds: number
}

/** Compares the checkpoints in the store with the ends of the partitions. */
export async function lagOf(
  { app: { eventLog }, config }: Project,
  projection: ProjectionDefinition,
  reading: Pick<PresentLogOptions, 'output' | 'signal'>,
): Promise<ProjectionLag> {
  const categories = followedBy(projection)
  const from = (await config.readModels?.checkpoints?.(projection)) ?? []
  const partitions = (await Promise.all(categories.map((category) => eventLog.partitions(category)))).flat()
  const waiting = new Set<string>()
  let events = 0
  for (const { topic, partition, end } of partitions) {
    const offset = from.find((each) => each.topic === topic && each.partition === partition)?.offset ?? 0
    events += Math.max(0, end - offset)
    if (offset < end) waiting.add(`${topic}/${partition}`)
  }
  const oldest =
    waiting.size === 0 ? undefined : await oldestOf(waiting, presentLog({ ...reading, eventLog, categories, from }))
  return {
    started: from.length > 0,
    events,
    seconds: oldest === undefined ? 0 : Math.max(0, Date.now() - oldest) / 1000,
  }
}

/** The time of the oldest event: the first of each partition is its oldest. */
async function oldestOf(waiting: Set<string>, log: ReturnType<typeof presentLog>): Promise<number | undefined> {
  let oldest: number | undefined
  for await (const [first] of log) {
    if (first === undefined) continue
    waiting.delete(`${first.position.topic}/${first.position.partition}`)
    oldest = Math.min(oldest ?? first.time, first.time)
    if (waiting.size === 0) break
  }
  return oldest
}
