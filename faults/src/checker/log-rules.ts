// What the log must be by itself, whatever clients were told.
import { place } from './evidence.js'
import type { AppendOperation } from './history.js'
import type { LogEvent } from './log.js'
import type { Rule } from './rule.js'

export const logRules: readonly Rule[] = [
  {
    name: 'whole-log',
    promise: 'every partition holds records of the event store alone, without a gap',
    *find({ log }) {
      for (const fault of log.faults) yield { says: fault, shown: [] }
    },
  },
  {
    name: 'latest-claim',
    promise: "every event's claim is the latest before it",
    *find({ log, given, appends }) {
      if (given.fenced === false) return
      const strays = new Set(appends.flatMap((append) => (isStray(append) ? append.eventIds : [])))
      for (const event of log.voids) {
        if (strays.has(event.eventId)) continue
        yield { says: `${place(event)} was written under a claim that was over`, shown: [event] }
      }
    },
  },
  {
    name: 'no-strays',
    promise: 'what an outsider wrote under a claim that was over counts nowhere',
    *find(evidence) {
      for (const append of evidence.appends.filter(isStray)) {
        for (const event of evidence.ownEvents(append)) {
          yield { says: `${place(event)} counts, and its claim was over`, shown: [append, event] }
        }
      }
    },
  },
  {
    name: 'decided-upon',
    promise: 'a command is decided upon the whole stream before it',
    *find({ log }) {
      for (const event of log.events) {
        const { decidedUpon, version, index } = event
        if (decidedUpon === undefined || decidedUpon + index + 1 === version) continue
        yield { says: `${place(event)} has version ${version} and was decided upon ${decidedUpon}`, shown: [event] }
      }
    },
  },
  {
    name: 'versions',
    promise: 'the versions of each stream are 1..n in log order',
    *find({ byStream }) {
      for (const [streamId, events] of byStream) {
        for (const [at, event] of events.entries()) {
          if (event.version === at + 1) continue
          yield { says: `${streamId} has version ${event.version} where ${at + 1} belongs`, shown: [event] }
          break // all that follow are shifted
        }
      }
    },
  },
  {
    name: 'whole-appends',
    promise: 'multi-event appends are whole and adjacent',
    *find(evidence) {
      for (const events of evidence.commands()) {
        const says = torn(events)
        if (says !== undefined) yield { says, shown: events }
      }
      for (const append of evidence.appends) {
        const own = evidence.ownEvents(append)
        const ids = own.map((event) => event.eventId).join()
        if (own.length > 0 && ids !== append.eventIds.join()) {
          yield {
            says: `of ${append.eventIds.length} events ${own.length} are there, or in another order`,
            shown: [append, ...own],
          }
        }
      }
    },
  },
  {
    name: 'once',
    promise: 'a command acts once on a stream, however often it is repeated',
    *find(evidence) {
      for (const events of evidence.commands()) {
        const beginnings = events.filter((event) => event.index === 0)
        if (beginnings.length < 2) continue
        yield { says: `${beginnings[0]!.commandId} acted ${beginnings.length} times`, shown: beginnings }
      }
      for (const [id, events] of evidence.byEventId) {
        if (events.length > 1) yield { says: `the event ${id} is there ${events.length} times`, shown: events }
      }
    },
  },
]

const isStray = ({ outsider }: AppendOperation) => outsider === 'under an old claim'

/** Judges the first append among the events of one command; a second one is another rule's. */
function torn(events: readonly LogEvent[]): string | undefined {
  const first = events[0]!
  for (let index = 0; index < first.count; index++) {
    const event = events[index]
    if (event === undefined)
      return `${place(first)} begins an append of ${first.count} events, of which ${index} are there`
    const adjacent = event.offset === first.offset + index && event.partition === first.partition
    if (event.index === index && event.count === first.count && event.claim === first.claim && adjacent) continue
    return `${place(event)} is not event ${index + 1} of ${first.count} of the append that begins at ${place(first)}`
  }
  return undefined
}
