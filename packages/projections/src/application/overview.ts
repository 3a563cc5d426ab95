// How a projection stands, from any process: what is stored of it, measured against the log.
import type { Checkpoint, EventLog, LogPartition } from '@narrative/core'
import type { BoundProjection } from '../definition/bind-projection.js'
import type { ControlRoom, KnownWorker } from '../runtime/control.js'
import type { PartitionProgress } from '../runtime/progress-meter.js'

/** How far a view is behind the log. */
export interface Lag {
  /** Offsets that are not applied. */
  readonly events: number
  /** How long ago the oldest event happened that is not applied; 0 when there is none, undefined when it cannot be told. */
  readonly seconds: number | undefined
}

/** A rebuild under way, or left behind by a crash. */
export interface RebuildOverview {
  readonly generation: number
  /** Milliseconds since 1970 UTC. */
  readonly beganAt: number
  readonly events: number
  readonly total: number
  readonly eventsPerSecond: number
  readonly secondsLeft: number | undefined
  readonly partitions: readonly PartitionProgress[]
  /** Events among the dead letters of the view that is being built. */
  readonly parked: number
}

/** Everything there is to know of a projection. */
export interface ProjectionOverview {
  readonly projection: string
  readonly paused: boolean
  readonly lag: Lag
  /** Events among its dead letters. */
  readonly parked: number
  readonly partitions: readonly {
    readonly topic: string
    readonly partition: number
    readonly offset: number
    readonly end: number
  }[]
  /** Those who follow it, in all processes; a killed one is listed for half a minute. */
  readonly workers: readonly KnownWorker[]
  readonly rebuild: RebuildOverview | undefined
  /** Counts the rebuilds; the first view is 1. */
  readonly generation: number
  /** The generation to which `switchBack` goes. */
  readonly kept: number | undefined
}

/** Asks the store and the log. */
export async function overviewOf(
  { name, categories, clock }: BoundProjection,
  control: ControlRoom,
  eventLog: EventLog,
): Promise<ProjectionOverview> {
  const { checkpoints, build, ...state } = await control.state(name)
  const ends = (await Promise.all(categories.map((category) => eventLog.partitions(category)))).flat()
  const partitions = measured(ends, checkpoints)
  const events = partitions.reduce((sum, { offset, end }) => sum + Math.max(0, end - offset), 0)
  const oldest = events === 0 ? undefined : await oldestMissing(eventLog, categories, partitions, checkpoints)
  const seconds = events === 0 ? 0 : oldest && Math.max(0, (clock.now() - oldest) / 1000)
  return {
    ...{ projection: name, ...state, partitions, lag: { events, seconds } },
    rebuild: build && {
      ...{ generation: build.generation, beganAt: build.beganAt, parked: build.parked },
      ...progressOf(measured(ends, build.checkpoints), (Date.now() - build.beganAt) / 1000),
    },
  }
}

type Measured = ProjectionOverview['partitions'][number]

function measured(ends: readonly LogPartition[], checkpoints: readonly Checkpoint[]): Measured[] {
  return ends.map(({ topic, partition, end }) => {
    const at = checkpoints.find((checkpoint) => checkpoint.topic === topic && checkpoint.partition === partition)
    return { topic, partition, offset: at?.offset ?? 0, end }
  })
}

function progressOf(
  at: readonly Measured[],
  seconds: number,
): Omit<RebuildOverview, 'generation' | 'beganAt' | 'parked'> {
  const partitions = at.map((place) => {
    const eventsPerSecond = place.offset / Math.max(seconds, 0.001)
    return { ...place, eventsPerSecond, secondsLeft: timeFor(place.end - place.offset, eventsPerSecond) }
  })
  const events = partitions.reduce((sum, { offset }) => sum + offset, 0)
  const total = partitions.reduce((sum, { offset, end }) => sum + Math.max(offset, end), 0)
  const eventsPerSecond = events / Math.max(seconds, 0.001)
  return { events, total, eventsPerSecond, secondsLeft: timeFor(total - events, eventsPerSecond), partitions }
}

function timeFor(left: number, eventsPerSecond: number): number | undefined {
  if (left <= 0) return 0
  return eventsPerSecond > 0 ? left / eventsPerSecond : undefined
}

/** Looks at the first event after each checkpoint that has one; gives up after two seconds. */
async function oldestMissing(
  eventLog: EventLog,
  categories: readonly string[],
  partitions: readonly Measured[],
  from: readonly Checkpoint[],
): Promise<number | undefined> {
  const behind = partitions.filter(({ offset, end }) => offset < end)
  const missing = new Set(behind.map(({ topic, partition }) => `${topic}/${partition}`))
  const times: number[] = []
  const numbers = [...new Set(behind.map(({ partition }) => partition))]
  const signal = AbortSignal.timeout(2000)
  const reading = eventLog.subscribe({ categories, from, partitions: numbers, signal, unreadable: 'give' })
  for await (const batch of reading) {
    const [first] = [...batch.events, ...(batch.unreadable ?? [])]
    if (first !== undefined) times.push(first.time)
    if (first !== undefined || batch.checkpoint.offset >= batch.end) missing.delete(`${batch.topic}/${batch.partition}`)
    if (missing.size === 0) break
  }
  return times.length === 0 ? undefined : Math.min(...times)
}
