// What the checker hears beside the clients: the log, with the marks that commands brought along, and what all copies hold.
import type { TopicRecord } from '@narrative/testing'
import type { Dump } from '../checker/evidence.js'
import type { LogRecord } from '../checker/log.js'
import { readLog } from '../checker/read-log.js'
import type { Stage } from './stage.js'

/** The log as it is now. */
export function readMarkedLog(brokers: readonly string[], topic: string): Promise<LogRecord[]> {
  return readLog(brokers, topic, marked)
}

/** Events are told apart by the mark that their command brought along. */
function marked({ key, value }: TopicRecord): Pick<LogRecord, 'eventId' | 'decidedUpon'> {
  if (key === null || value === null) return { eventId: null }
  const { mark, upon } = JSON.parse(value) as { mark: string; upon: number }
  return { eventId: mark, decidedUpon: upon }
}

/** The next offset of each partition. */
function endsOf(log: readonly LogRecord[]): Map<number, number> {
  return new Map(log.map(({ partition, offset }) => [partition, offset + 1]))
}

/** What the owners' replicas hold, each its own partitions', and what the worker's views do. */
export async function dumpAll(stage: Stage, streamIds: readonly string[], log: readonly LogRecord[]): Promise<Dump[]> {
  const ends = endsOf(log)
  const { topic, services, worker } = stage
  const offsets = Object.fromEntries([...ends].map(([partition, end]) => [`${topic}/${partition}`, end]))
  const upTo = [...ends].map(([partition, end]) => ({ topic, partition, offset: end - 1 }))
  const held: Record<string, Record<string, readonly string[]>> = {}
  for (const process of [...services, worker]) {
    const answer = await process.ask({ dump: streamIds, upTo }, 120_000)
    if (answer === undefined || !('dump' in answer)) throw new Error(`${process.name} did not say what it holds.`)
    for (const [name, streams] of Object.entries(answer.dump)) held[name] = { ...held[name], ...streams }
  }
  return Object.entries(held).map(([name, streams]) => ({ name, offsets, streams }))
}
