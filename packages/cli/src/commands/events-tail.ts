// `narrative events tail`: events as they are appended, or from anywhere in the log on.
import {
  categoryOf,
  type EventLog,
  type Position,
  parsePosition,
  type RecordedEvent,
  type SubscribeOptions,
} from '@narrative/core'
import { type Command, InvalidArgumentError } from 'commander'
import { presentLog } from '../log/present-log.js'
import { notFound, wrongUsage } from '../refusal.js'
import { onProject, type Session, type Surroundings } from '../surroundings.js'
import { eventRecord } from '../terminal/event-record.js'
import type { Output } from '../terminal/output.js'
import { parseCount, parseInstant } from './arguments.js'
import { examples } from './examples.js'

type Start = 'start' | 'end' | { readonly since: number } | { readonly position: Position }

interface TailOptions {
  readonly from: Start
  readonly type?: readonly string[]
  readonly stream?: string
  readonly limit?: number
  readonly follow: boolean
}

export function describeEventsTail(events: Command, surroundings: Surroundings): void {
  const command = events
    .command('tail')
    .summary('events as they are appended')
    .description(
      'Shows events as they are appended, until Ctrl-C; and before that those since a moment of your choice.',
    )
    .argument('[category]', 'only events of this category; default all of the project')
    .option('--from <where>', 'start, end, an instant, or a position such as shop.order.events/0@42', parseStart, 'end')
    .option('--type <name>', 'only events of this name; may be given several times', collect)
    .option('--stream <stream>', 'only events of this stream')
    .option('--limit <n>', 'end after so many events', parseCount)
    .option('--no-follow', 'end at the present end of the log')
    .addHelpText(
      'after',
      `${examples(
        ['narrative events tail', 'what is happening now'],
        ['narrative events tail order --from 2026-11-21T12:00:00Z', 'what happened to orders since noon, and goes on'],
        ['narrative events tail --from start --no-follow --json', 'the whole log, for a program'],
        ['narrative events tail --type order.cancelled --limit 1', 'wait for the next cancellation'],
      )}

Events of one stream are in order; between partitions there is no order.
A position begins in its own partition, and shows no other.`,
    )
  onProject<TailOptions>(command, surroundings, tail)
}

async function tail({ project, output, signal }: Session, [category]: readonly string[], options: TailOptions) {
  const { from, stream, follow, limit = Number.POSITIVE_INFINITY } = options
  if (from === 'end' && !follow) throw wrongUsage('--no-follow from the end shows nothing; add --from start.')
  const { eventLog } = project.app
  const categories = project.chosenCategories(stream === undefined ? category : categoryOf(stream))
  const source = { ...(await sourceOf(eventLog, categories, from)), signal }
  const batches =
    follow || source.from === 'end'
      ? onwards(eventLog, source)
      : presentLog({ ...source, from: source.from, eventLog, output })
  const wanted = wantedEvents(options)
  let shown = 0
  for await (const events of batches) {
    for (const event of events) {
      if (!wanted(event)) continue
      await output.result(eventRecord(event), eventLine(event, output))
      if (++shown === limit) return
    }
  }
}

async function* onwards(eventLog: EventLog, source: SubscribeOptions) {
  for await (const { events } of eventLog.subscribe(source)) yield events
}

/** Where in the log to begin. An instant is looked for from the start: the log has no index by time. */
async function sourceOf(eventLog: EventLog, categories: readonly string[], from: Start): Promise<SubscribeOptions> {
  if (from === 'start' || from === 'end') return { categories, from }
  if ('since' in from) return { categories, from: 'start' }
  const { topic, partition } = from.position
  const topics = new Set<string>()
  for (const category of categories) {
    for (const each of await eventLog.partitions(category)) {
      if (each.topic === topic && each.partition === partition)
        return { categories: [category], partitions: [partition], from: [from.position] }
      topics.add(each.topic)
    }
  }
  throw notFound(`There is no partition ${topic}/${partition} among ${[...topics].join(', ') || 'no topics'}.`)
}

/** What the options let through. */
function wantedEvents({ from, type, stream }: TailOptions): (event: RecordedEvent) => boolean {
  const types = type && new Set(type)
  const since = typeof from === 'object' && 'since' in from ? from.since : Number.NEGATIVE_INFINITY
  return (event) =>
    (types === undefined || types.has(event.type)) &&
    (stream === undefined || event.streamId === stream) &&
    event.time >= since
}

function eventLine(event: RecordedEvent, { paint }: Output): string {
  const { time, streamId, version, type, data } = eventRecord(event)
  return `${paint.dim(time)}  ${streamId} ${paint.dim(`v${version}`)}  ${paint.cyan(type)}  ${JSON.stringify(data)}`
}

function parseStart(text: string): Start {
  if (text === 'start' || text === 'end') return text
  const since = parseInstant(text)
  if (since !== undefined) return { since: since.getTime() }
  if (!text.includes('@'))
    throw new InvalidArgumentError(
      'It must be start, end, an instant such as 2026-11-21T12:00:00Z, or a position such as shop.order.events/0@42.',
    )
  return { position: parsePosition(text) }
}

function collect(text: string, earlier: readonly string[] = []): readonly string[] {
  return [...earlier, text]
}
