// Makes correct cases at random: what a flawless event store could have done, and what its clients could have seen.
import { Random } from '../random.js'
import type { Case } from './evidence.js'
import type { AppendOperation, AppendOutcome, Operation } from './history.js'
import type { LogRecord } from './log.js'

const topic = 'shop.order.events'
export type MutableCase = { -readonly [K in keyof Case]: Case[K] } & { operations: Operation[]; log: LogRecord[] }

/** Each operation takes effect at one moment between its start and its end; the moments are `step` apart. */
const step = 10

export function correctCase(seed: number): MutableCase {
  const random = new Random(seed)
  const log: LogRecord[] = []
  const operations: Operation[] = []
  const streams = new Map<string, string[]>()
  const done = new Map<string, { append: AppendOperation; outcome: AppendOutcome & { told: 'appended' } }>()
  const attempts: AppendOperation[] = []
  /** Events at the end of each stream that an outsider wrote: a strong read may miss them. */
  const byOutsiders = new Map<string, number>()
  const claims = [0, 1].map((partition) => claim(partition))

  function claim(partition: number): string {
    const id = random.uuid()
    const offset = log.filter((record) => record.partition === partition).length
    log.push({ topic, partition, offset, key: null, stamp: `claim ${id} 2`, eventId: null })
    return id
  }

  function write(append: AppendOperation): AppendOutcome {
    const { streamId, commandId, eventIds } = append
    const partition = Number(streamId.at(-1)) % 2
    const stream = streams.get(streamId) ?? []
    streams.set(streamId, stream)
    const firstVersion = stream.length + 1
    let offset = log.filter((record) => record.partition === partition).length
    eventIds.forEach((eventId, index) => {
      const stamp = `${firstVersion + index} 1 ${index}/${eventIds.length} ${claims[partition]} ${commandId} = =`
      const decidedUpon = firstVersion - 1
      log.push({ topic, partition, offset: offset++, key: streamId, stamp, eventId, decidedUpon })
      stream.push(eventId)
    })
    const outcome = {
      ...{ told: 'appended' as const, firstVersion, version: stream.length, duplicate: false },
      ...{ position: { topic, partition, offset: offset - 1 }, eventIds },
    }
    byOutsiders.set(streamId, append.outsider === undefined ? 0 : eventIds.length)
    done.set(`${streamId} ${commandId}`, { append, outcome })
    return outcome
  }

  function stray(streamId: string): string {
    const partition = Number(streamId.at(-1)) % 2
    const eventId = `stray-${random.uuid()}`
    const offset = log.filter((record) => record.partition === partition).length
    const version = (streams.get(streamId)?.length ?? 0) + 1
    const stamp = `${version} 1 0/1 ${random.uuid()} ${random.uuid()} = =`
    log.push({ topic, partition, offset, key: streamId, stamp, eventId, decidedUpon: version - 1 })
    return eventId
  }

  for (let at = 1; at <= 60; at++) {
    const moment = at * step
    if (random.chance(0.05)) {
      const partition = random.between(0, 1)
      claims[partition] = claim(partition)
    }
    const streamId = `order-${random.between(0, 3)}`
    const called = {
      ...{ id: at, client: `c${random.between(1, 3)}`, instance: 'a', streamId },
      ...{ start: moment - random.between(1, 4 * step), end: moment + random.between(1, 4 * step) },
    }
    if (random.chance(0.1)) {
      const command = { ...called, kind: 'append' as const, commandId: random.uuid(), expectedVersion: 'any' as const }
      if (random.chance(0.5)) {
        const outcome = { told: 'unknown' as const, code: 'ROGUE' }
        operations.push({ ...command, eventIds: [stray(streamId)], outcome, outsider: 'under an old claim' })
      } else {
        const partition = Number(streamId.at(-1)) % 2
        claims[partition] = claim(partition)
        const outcome: AppendOutcome = { told: 'unknown', code: '' }
        const append = { ...command, eventIds: [random.uuid()], outcome, outsider: 'under its own claim' as const }
        operations.push({ ...append, outcome: write(append) })
      }
      continue
    }
    if (random.chance(0.2)) {
      const stream = streams.get(streamId) ?? []
      if (random.chance(0.3)) {
        const partition = Number(streamId.at(-1)) % 2
        const records = log.filter((record) => record.partition === partition)
        const upTo = { topic, partition, offset: random.between(0, records.length) }
        const due = new Set(records.slice(0, upTo.offset).map(({ eventId }) => eventId))
        const there = stream.filter((eventId) => due.has(eventId))
        operations.push({ ...called, kind: 'read', strong: false, upTo, outcome: { told: 'events', eventIds: there } })
        continue
      }
      const missed = random.chance(0.5) ? (byOutsiders.get(streamId) ?? 0) : 0
      const eventIds = stream.slice(0, stream.length - missed)
      operations.push({ ...called, kind: 'read', strong: true, outcome: { told: 'events', eventIds } })
      continue
    }
    const version = streams.get(streamId)?.length ?? 0
    const eventIds = Array.from({ length: random.between(1, 3) }, () => random.uuid())
    const asked = { ...called, kind: 'append' as const, eventIds }
    const again = random.chance(0.15) ? random.pick(attempts.length > 0 ? attempts : [undefined]) : undefined
    const { commandId, expectedVersion } = again ?? {
      commandId: random.uuid(),
      expectedVersion: random.chance(0.5) ? ('any' as const) : Math.max(0, version - random.between(0, 1)),
    }
    const append = { ...asked, commandId, expectedVersion, streamId: again?.streamId ?? streamId }
    operations.push({ ...append, outcome: attempt({ ...append, outcome: { told: 'unknown', code: '' } }) })
    attempts.push(operations.at(-1) as AppendOperation)
  }

  function attempt(append: AppendOperation): AppendOutcome {
    const known = done.get(`${append.streamId} ${append.commandId}`)
    if (known !== undefined) return { ...known.outcome, duplicate: true }
    if (random.chance(0.05)) return { told: 'refused', code: 'STORE_BUSY' }
    if (random.chance(0.05)) return { told: 'unknown', code: 'OUTCOME_UNKNOWN' }
    const actualVersion = streams.get(append.streamId)?.length ?? 0
    const { expectedVersion } = append
    if (expectedVersion !== 'any' && expectedVersion !== actualVersion) return { told: 'conflict', actualVersion }
    const outcome = write(append)
    return random.chance(0.1) ? { told: 'unknown', code: 'OUTCOME_UNKNOWN' } : outcome
  }

  const offsets: Record<string, number> = {}
  for (const { partition, offset } of log) offsets[`${topic}/${partition}`] = offset + 1
  return {
    ...{ log, operations },
    dumps: [{ name: 'replica of a', offsets, streams: Object.fromEntries(streams) }],
    healed: { at: 0, partitions: [] },
  }
}
