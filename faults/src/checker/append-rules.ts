// What callers of append were told, held against the log.
import { acknowledgements, versionKnown } from './acknowledgements.js'
import { type Evidence, place } from './evidence.js'
import type { AppendOperation } from './history.js'
import type { LogEvent } from './log.js'
import type { Rule } from './rule.js'

export const appendRules: readonly Rule[] = [
  {
    name: 'not-lost',
    promise: 'every acknowledged append is in the log',
    *find(evidence) {
      for (const append of evidence.appends) {
        if (append.outcome.told !== 'appended') continue
        if (evidence.ofCommand(append.streamId, append.commandId).length > 0) continue
        yield { says: `${append.commandId} was acknowledged to ${append.streamId} and is not there`, shown: [append] }
      }
    },
  },
  {
    name: 'as-told',
    promise: 'an acknowledged append is at the version and position told',
    *find(evidence) {
      for (const append of evidence.appends) {
        const { outcome } = append
        if (outcome.told !== 'appended') continue
        const events = evidence.ofCommand(append.streamId, append.commandId)
        const first = events[0]
        if (first === undefined) continue // lost: another rule's
        const last = events[first.count - 1] ?? first
        const { topic, partition, offset } = outcome.position
        const right =
          first.version === outcome.firstVersion &&
          last.version === outcome.version &&
          sameEvents(outcome.eventIds, events.slice(0, first.count)) &&
          place(last) === `${topic}/${partition}@${offset}`
        if (!right)
          yield { says: `${append.commandId} was told another place than it has`, shown: [append, first, last] }
      }
    },
  },
  {
    name: 'nothing-refused',
    promise: 'nothing that was refused is in the log',
    *find(evidence) {
      for (const append of evidence.appends) {
        const { told } = append.outcome
        const own = told === 'refused' || told === 'conflict' ? evidence.ownEvents(append) : []
        if (own.length > 0)
          yield { says: `${append.commandId} was told that nothing was written`, shown: [append, ...own] }
      }
    },
  },
  {
    name: 'one-winner',
    promise: 'an expected version has at most one winner, and that one comes right after it',
    *find(evidence) {
      const winners = new Map<string, AppendOperation>()
      for (const append of evidence.appends) {
        const { expectedVersion, streamId } = append
        if (expectedVersion === 'any') continue
        const own = evidence.ownEvents(append)
        const told = append.outcome.told === 'appended' && !append.outcome.duplicate
        if (own.length === 0 && !told) continue
        if (own[0] !== undefined && own[0].version !== expectedVersion + 1) {
          yield {
            says: `expected ${streamId} at ${expectedVersion} and got version ${own[0].version}`,
            shown: [append, own[0]],
          }
        }
        const key = `${streamId} ${expectedVersion}`
        const before = winners.get(key)
        // Two attempts of one command are one winner; that it acts once is another rule's.
        if (before !== undefined && before.commandId !== append.commandId) {
          yield { says: `${streamId} at ${expectedVersion} was won twice`, shown: [before, append] }
        }
        winners.set(key, append)
      }
    },
  },
  {
    name: 'true-conflicts',
    promise: 'a conflict names another version than was expected, and one that the stream had and that was not over',
    *find(evidence) {
      const acknowledged = acknowledgements(evidence)
      for (const append of evidence.appends) {
        const { expectedVersion, outcome, streamId, start } = append
        if (outcome.told !== 'conflict') continue
        const { actualVersion } = outcome
        const had = evidence.byStream.get(streamId)?.length ?? 0
        const known = versionKnown(acknowledged, streamId, start)
        if (actualVersion !== expectedVersion && actualVersion >= known && actualVersion <= had) continue
        yield {
          says: `expected ${streamId} at ${expectedVersion}, told a conflict with ${actualVersion}; it came from ${known} to ${had}`,
          shown: [append],
        }
      }
    },
  },
  {
    name: 'real-time',
    promise: 'an append that began after another was acknowledged comes after it in the stream',
    *find(evidence) {
      const times = knownTimes(evidence)
      for (const events of evidence.byStream.values()) {
        let soonest: { event: LogEvent; end: number } | undefined // of those later in the log
        for (const event of [...events].reverse()) {
          const { start, end } = times.get(event.eventId) ?? { start: -Infinity, end: Infinity }
          if (soonest !== undefined && soonest.end < start) {
            yield {
              says: `${place(soonest.event)} was acknowledged before ${place(event)} was begun`,
              shown: [event, soonest.event],
            }
          }
          if (soonest === undefined || end < soonest.end) soonest = { event, end }
        }
      }
    },
  },
  {
    name: 'same-answer',
    promise: 'a command that was acknowledged is never told a conflict later',
    *find(evidence) {
      const acknowledged = new Map<string, AppendOperation>()
      for (const append of evidence.appends) {
        if (append.outcome.told !== 'appended') continue
        const key = `${append.streamId} ${append.commandId}`
        if (endOf(append) < endOf(acknowledged.get(key))) acknowledged.set(key, append)
      }
      for (const append of evidence.appends) {
        const before = acknowledged.get(`${append.streamId} ${append.commandId}`)
        if (append.outcome.told !== 'conflict' || append.start <= endOf(before)) continue
        yield { says: `${append.commandId} was acknowledged and then told a conflict`, shown: [before!, append] }
      }
    },
  },
]

const sameEvents = (told: readonly string[] | undefined, events: readonly LogEvent[]) =>
  told === undefined || told.join() === events.map((event) => event.eventId).join()

const endOf = (append: AppendOperation | undefined) => append?.end ?? Number.POSITIVE_INFINITY

/** For each event: when its append began, and when anybody was first told that it is there. */
function knownTimes(evidence: Evidence): Map<string, { start: number; end: number }> {
  const times = new Map<string, { start: number; end: number }>()
  for (const append of evidence.appends) {
    for (const { eventId } of evidence.ownEvents(append)) times.set(eventId, { start: append.start, end: Infinity })
  }
  for (const append of evidence.appends) {
    if (append.outcome.told !== 'appended') continue
    for (const { eventId } of evidence.ofCommand(append.streamId, append.commandId)) {
      const time = times.get(eventId)
      if (time !== undefined) time.end = Math.min(time.end, endOf(append))
    }
  }
  return times
}
