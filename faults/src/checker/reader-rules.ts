// What readers saw and what replicas and projections hold, held against the log.
import { acknowledgements } from './acknowledgements.js'
import type { LogEvent } from './log.js'
import type { Rule } from './rule.js'

export const readerRules: readonly Rule[] = [
  {
    name: 'true-reads',
    promise: 'a read gives the beginning of the stream as the log has it',
    *find({ reads, byStream }) {
      for (const read of reads) {
        if (read.outcome.told !== 'events') continue
        const events = byStream.get(read.streamId) ?? []
        const at = read.outcome.eventIds.findIndex((id, index) => events[index]?.eventId !== id)
        if (at !== -1)
          yield { says: `version ${at + 1} as read from ${read.streamId} is not in the log`, shown: [read] }
      }
    },
  },
  {
    name: 'strong-reads',
    promise: 'a strong read contains all that was acknowledged before it began',
    *find(evidence) {
      const acknowledged = acknowledgements(evidence)
      for (const read of evidence.reads) {
        if (!read.strong || read.outcome.told !== 'events') continue
        let version = 0
        for (const { end, event } of acknowledged.get(read.streamId) ?? []) {
          if (end < read.start && event.version > version) version = event.version
        }
        const got = read.outcome.eventIds.length
        if (got < version)
          yield {
            says: `a strong read of ${read.streamId} ended at ${got} when ${version} was acknowledged`,
            shown: [read],
          }
      }
    },
  },
  {
    name: 'fresh-as-told',
    promise: 'a read of a copy contains everything in the log before the place it names',
    *find({ reads, byStream }) {
      for (const read of reads) {
        const { upTo, outcome, streamId } = read
        if (upTo === undefined || outcome.told !== 'events') continue
        const due = (byStream.get(streamId) ?? []).filter(({ offset }) => offset < upTo.offset).length
        if (outcome.eventIds.length >= due) continue
        yield { says: `a copy of ${streamId} had ${outcome.eventIds.length} events of ${due}`, shown: [read] }
      }
    },
  },
  {
    name: 'equal-copies',
    promise: 'replicas, snapshots and projections equal the fold of the log',
    *find({ given, byStream }) {
      for (const { name, offsets, streams } of given.dumps ?? []) {
        const read = ({ topic, partition, offset }: LogEvent) => offset < (offsets[`${topic}/${partition}`] ?? 0)
        for (const streamId of new Set([...Object.keys(streams), ...byStream.keys()])) {
          const expected = (byStream.get(streamId) ?? []).filter(read).map((event) => event.eventId)
          const held = streams[streamId] ?? []
          if (held.join() === expected.join()) continue
          yield {
            says: `${name} holds ${held.length} events of ${streamId}, the log ${expected.length} up to there`,
            shown: [{ held, expected }],
          }
        }
      }
    },
  },
  {
    name: 'healing',
    promise: 'every partition takes writes again after healing',
    *find({ given, appends }) {
      if (given.healed === undefined) return
      const { at, partitions } = given.healed
      const served = new Set(
        appends.flatMap(({ start, outcome }) => {
          if (outcome.told !== 'appended' || start < at || outcome.duplicate) return []
          return `${outcome.position.topic}/${outcome.position.partition}`
        }),
      )
      for (const partition of partitions) {
        if (!served.has(partition)) yield { says: `${partition} took no write after healing`, shown: [] }
      }
    },
  },
]
