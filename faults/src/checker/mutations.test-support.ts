// Ways to spoil a correct case, each with the rule that must notice.
import type { Random } from '../random.js'
import type { MutableCase } from './correct-case.test-support.js'
import type { AppendOperation, ReadOperation } from './history.js'
import type { LogRecord } from './log.js'

export interface Mutation {
  readonly name: string
  readonly rule: string
  /** Spoils the case; false when it holds nothing to spoil in this way. */
  spoil(given: MutableCase, random: Random): boolean
}

type Acknowledged = AppendOperation & { outcome: { told: 'appended' } }

const acknowledged = (given: MutableCase) =>
  given.operations.filter(
    (one): one is Acknowledged =>
      one.kind === 'append' && one.outcome.told === 'appended' && !one.outcome.duplicate && !one.outsider,
  )
const conflicts = (given: MutableCase) =>
  given.operations.filter((one): one is AppendOperation => one.kind === 'append' && one.outcome.told === 'conflict')
const isStray = ({ eventId }: LogRecord) => eventId?.startsWith('stray') === true
const isClaim = ({ eventId }: LogRecord) => eventId === null
const isEvent = (record: LogRecord) => !isClaim(record) && !isStray(record)
const stampOf = ({ stamp }: LogRecord) => stamp.split(' ')

/** Puts a partition's offsets right again, so that only what was meant is wrong. */
function renumber(given: MutableCase): void {
  const next = new Map<number, number>()
  given.log = given.log.map((record) => {
    const offset = next.get(record.partition) ?? 0
    next.set(record.partition, offset + 1)
    return { ...record, offset }
  })
}

/** A place in the log chosen among those that fit. */
function choose(given: MutableCase, random: Random, fits: (record: LogRecord, at: number) => boolean): number {
  const places = given.log.flatMap((record, at) => (fits(record, at) ? at : []))
  return places.length === 0 ? -1 : random.pick(places)
}

function change<T>(given: MutableCase, random: Random, of: readonly T[], how: (one: T) => T): boolean {
  if (of.length === 0) return false
  const one = random.pick(of)
  given.operations = given.operations.map((each) => ((each as unknown) === one ? (how(one) as never) : each))
  return true
}

function restamp(given: MutableCase, at: number, part: number, value: string): void {
  const record = given.log[at]!
  given.log[at] = { ...record, stamp: stampOf(record).with(part, value).join(' ') }
}

export const mutations: readonly Mutation[] = [
  {
    name: 'an acknowledged append is dropped from the log',
    rule: 'not-lost',
    spoil(given, random) {
      const appends = acknowledged(given)
      if (appends.length === 0) return false
      const { eventIds } = random.pick(appends)
      given.log = given.log.filter((record) => record.eventId === null || !eventIds.includes(record.eventId))
      renumber(given)
      return true
    },
  },
  {
    name: 'an event is dropped and leaves a gap in the offsets',
    rule: 'whole-log',
    spoil(given, random) {
      const last = new Map(given.log.map((record) => [record.partition, record]))
      const at = choose(given, random, (record) => isEvent(record) && last.get(record.partition) !== record)
      if (at === -1) return false
      given.log.splice(at, 1)
      return true
    },
  },
  {
    name: 'an append is there twice, the second time as if it came next',
    rule: 'once',
    spoil(given, random) {
      const at = choose(given, random, (record) => isEvent(record) && stampOf(record)[2] === '0/1')
      if (at === -1) return false
      const record = given.log[at]!
      const own = given.log.filter(({ key }) => key === record.key).length
      const stamp = stampOf(record)
        .with(0, String(own + 1))
        .with(3, claimAtEnd(given, record.partition))
      given.log.push({ ...record, stamp: stamp.join(' ') })
      renumber(given)
      return true
    },
  },
  {
    name: 'a foreign record is in the log',
    rule: 'whole-log',
    spoil(given, random) {
      const at = choose(given, random, isEvent)
      given.log[at] = { ...given.log[at]!, stamp: 'hello' }
      return true
    },
  },
  {
    name: 'two neighbouring events of a stream swap their versions',
    rule: 'versions',
    spoil(given, random) {
      const next = (at: number) => given.log.findIndex(({ key }, to) => to > at && key === given.log[at]!.key)
      const at = choose(given, random, (record, at) => isEvent(record) && next(at) !== -1)
      if (at === -1) return false
      const other = next(at)
      const version = stampOf(given.log[at]!)[0]!
      restamp(given, at, 0, stampOf(given.log[other]!)[0]!)
      restamp(given, other, 0, version)
      return true
    },
  },
  {
    name: 'another append stands between the events of one',
    rule: 'whole-appends',
    spoil(given, random) {
      const at = choose(given, random, (record) => /^0\/[23]$/.test(stampOf(record)[2] ?? ''))
      if (at === -1) return false
      const { partition } = given.log[at]!
      const stamp = `1 1 0/1 ${stampOf(given.log[at]!)[3]} intruder = =`
      given.log.splice(at + 1, 0, { ...given.log[at]!, partition, key: 'order-99', eventId: 'intruder', stamp })
      renumber(given)
      return true
    },
  },
  {
    name: 'the last event of an append is missing',
    rule: 'whole-appends',
    spoil(given, random) {
      const at = choose(given, random, (record) => /^(1\/2|2\/3)$/.test(stampOf(record)[2] ?? ''))
      if (at === -1) return false
      given.log.splice(at, 1)
      renumber(given)
      return true
    },
  },
  {
    name: 'a caller is told another position',
    rule: 'as-told',
    spoil: (given, random) =>
      change(given, random, acknowledged(given), (append) => {
        const { position } = append.outcome
        return { ...append, outcome: { ...append.outcome, position: { ...position, offset: position.offset + 1 } } }
      }),
  },
  {
    name: 'a caller is told another version',
    rule: 'as-told',
    spoil: (given, random) =>
      change(given, random, acknowledged(given), (append) => {
        return { ...append, outcome: { ...append.outcome, version: append.outcome.version + 1 } }
      }),
  },
  {
    name: 'a caller is told a conflict although its events are there',
    rule: 'nothing-refused',
    spoil: (given, random) =>
      change(given, random, acknowledged(given), (append) => {
        return { ...append, outcome: { told: 'conflict', actualVersion: 0 } } as never
      }),
  },
  {
    name: 'a caller is told that nothing was written although it was',
    rule: 'nothing-refused',
    spoil: (given, random) =>
      change(given, random, acknowledged(given), (append) => {
        return { ...append, outcome: { told: 'refused', code: 'STORE_BUSY' } } as never
      }),
  },
  {
    name: 'two callers win the same expected version',
    rule: 'one-winner',
    spoil(given, random) {
      const winners = acknowledged(given).filter(({ expectedVersion }) => expectedVersion !== 'any')
      const others = acknowledged(given).filter(({ commandId, streamId }) =>
        winners.some((winner) => winner.commandId !== commandId && winner.streamId === streamId),
      )
      return change(given, random, others, (append) => {
        const rival = winners.find(
          (winner) => winner.commandId !== append.commandId && winner.streamId === append.streamId,
        )
        return { ...append, expectedVersion: rival!.expectedVersion }
      })
    },
  },
  {
    name: 'an append lands where it did not expect to',
    rule: 'one-winner',
    spoil: (given, random) =>
      change(
        given,
        random,
        acknowledged(given).filter(({ expectedVersion }) => expectedVersion !== 'any'),
        (append) => ({ ...append, expectedVersion: 1_000 }),
      ),
  },
  {
    name: 'a conflict names the expected version',
    rule: 'true-conflicts',
    spoil: (given, random) =>
      change(given, random, conflicts(given), (append): AppendOperation => {
        return { ...append, outcome: { told: 'conflict', actualVersion: Number(append.expectedVersion) } }
      }),
  },
  {
    name: 'a conflict names a version that the stream never had',
    rule: 'true-conflicts',
    spoil: (given, random) =>
      change(given, random, conflicts(given), (append): AppendOperation => {
        return { ...append, outcome: { told: 'conflict', actualVersion: 1_000 } }
      }),
  },
  {
    name: 'an append began after a later one was acknowledged',
    rule: 'real-time',
    spoil(given, random) {
      const times = acknowledged(given)
      const early = times.filter(({ streamId, outcome }) =>
        times.some((other) => other.streamId === streamId && other.outcome.firstVersion > outcome.version),
      )
      return change(given, random, early, (append) => ({ ...append, start: 1e6, end: 1e6 + 1 }))
    },
  },
  {
    name: 'a repeated command is told a conflict after it was acknowledged',
    rule: 'same-answer',
    spoil(given, random) {
      const appends = acknowledged(given)
      if (appends.length === 0) return false
      const append = random.pick(appends)
      const outcome = { told: 'conflict' as const, actualVersion: 1 }
      given.operations.push({ ...append, id: 1e6, start: 1e6, end: 1e6 + 1, eventIds: ['another'], outcome })
      return true
    },
  },
  {
    name: 'a strong read misses what was acknowledged',
    rule: 'strong-reads',
    spoil(given, random) {
      const appends = acknowledged(given)
      if (appends.length === 0) return false
      const { streamId, outcome } = random.pick(appends)
      const ids = given.log.filter(({ key }) => key === streamId).map(({ eventId }) => eventId!)
      const eventIds = ids.slice(0, outcome.version - 1)
      const called = { id: 1e6, client: 'c1', instance: 'a', streamId, start: 1e6, end: 1e6 + 1 }
      given.operations.push({ ...called, kind: 'read', strong: true, outcome: { told: 'events', eventIds } })
      return true
    },
  },
  {
    name: 'a read gives an event that is not in the log',
    rule: 'true-reads',
    spoil(given, random) {
      const reads = given.operations.filter((one): one is ReadOperation => one.kind === 'read')
      return change(given, random, reads, (read): ReadOperation => {
        const ids = read.outcome.told === 'events' ? read.outcome.eventIds : []
        return { ...read, outcome: { told: 'events', eventIds: [...ids, 'invented'] } }
      })
    },
  },
  {
    name: 'an event names a claim that is over',
    rule: 'latest-claim',
    spoil(given, random) {
      restamp(given, choose(given, random, isEvent), 3, 'a-claim-of-yesterday')
      return true
    },
  },
  {
    name: 'a copy lacks an event',
    rule: 'equal-copies',
    spoil(given, random) {
      const [dump] = given.dumps!
      const streamId = random.pick(Object.keys(dump!.streams))
      const streams = { ...dump!.streams, [streamId]: dump!.streams[streamId]!.slice(0, -1) }
      given.dumps = [{ ...dump!, streams }]
      return true
    },
  },
  {
    name: 'a copy has read less than it says',
    rule: 'equal-copies',
    spoil(given) {
      const [dump] = given.dumps!
      const last = given.log.filter((record) => record.partition === 0 && isEvent(record)).at(-1)
      if (last === undefined) return false
      given.dumps = [{ ...dump!, offsets: { ...dump!.offsets, [`${last.topic}/0`]: last.offset } }]
      return true
    },
  },
  {
    name: 'a partition takes no write after healing',
    rule: 'healing',
    spoil(given) {
      given.healed = { at: 1e6, partitions: ['shop.order.events/0'] }
      return true
    },
  },
  {
    name: 'a stray counts',
    rule: 'no-strays',
    spoil(given, random) {
      const at = choose(given, random, isStray)
      if (at === -1) return false
      const { partition } = given.log[at]!
      const claim = given.log.findLast((one, n) => n < at && one.partition === partition && isClaim(one))
      restamp(given, at, 3, stampOf(claim!)[1]!)
      return true
    },
  },
  {
    name: 'a command is decided upon less than there was',
    rule: 'decided-upon',
    spoil(given, random) {
      const at = choose(given, random, (record) => isEvent(record) && record.decidedUpon !== 0)
      if (at === -1) return false
      given.log[at] = { ...given.log[at]!, decidedUpon: given.log[at]!.decidedUpon! - 1 }
      return true
    },
  },
  {
    name: 'an answer comes with events of another command',
    rule: 'as-told',
    spoil: (given, random) =>
      change(given, random, acknowledged(given), (append) => {
        return { ...append, outcome: { ...append.outcome, eventIds: [random.uuid()] } }
      }),
  },
  {
    name: 'a copy says that it is fresher than it is',
    rule: 'fresh-as-told',
    spoil(given, random) {
      const reads = given.operations.filter((one): one is ReadOperation => one.kind === 'read')
      const some = reads.filter(({ upTo, outcome }) => upTo && outcome.told === 'events' && outcome.eventIds.length > 0)
      return change(given, random, some, (read) => {
        const eventIds = read.outcome.told === 'events' ? read.outcome.eventIds.slice(0, -1) : []
        return { ...read, outcome: { told: 'events' as const, eventIds } }
      })
    },
  },
]

function claimAtEnd(given: MutableCase, partition: number): string {
  const claim = given.log.filter((record) => record.partition === partition && isClaim(record)).at(-1)!
  return stampOf(claim)[1]!
}
