// `narrative events tail`: events as they are appended, or from anywhere in the log on.
import { categoryOf, type Position, parsePosition, type RecordedEvent } from '@narrative/core'
import { type Command, InvalidArgumentError } from 'commander'
import { presentLog } from '../log/present-log.js'
import type { Project } from '../project.js'
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
  const categories = project.chosenCategories(stream === undefined ? category : categoryOf(stream))
  const wanted = await wantedEvents(project, categories, options)
  const source = { eventLog: project.app.eventLog, categories, output, signal }
  const batches = follow ? onwards(source, from) : presentLog(source)
  let shown = 0
  for await (const events of batches) {
    for (const event of events) {
      if (!wanted(event)) continue
      await output.result(eventRecord(event), eventLine(event, output))
      if (++shown === limit) return
    }
  }
}

async function* onwards({ eventLog, categories, signal }: Parameters<typeof presentLog>[0], from: Start) {
  const subscription = eventLog.subscribe({ categories, signal, from: from === 'end' ? 'end' : 'start' })
  for await (const { events } of subscription) yield events
}

/** What the options let through. */
async function wantedEvents(
  { app: { eventLog } }: Project,
  categories: readonly string[],
  { from, type, stream }: TailOptions,
): Promise<(event: RecordedEvent) => boolean> {
  const types = type && new Set(type)
  const position = typeof from === 'object' && 'position' in from ? from.position : undefined
  const since = typeof from === 'object' && 'since' in from ? from.since : Number.NEGATIVE_INFINITY
  if (position !== undefined) {
    const partitions = (await Promise.all(categories.map((category) => eventLog.partitions(category)))).flat()
    const isThere = partitions.some((each) => each.topic === position.topic && each.partition === position.partition)
    if (!isThere)
      throw notFound(
        `There is no partition ${position.topic}/${position.partition} among ${[...new Set(partitions.map(({ topic }) => topic))].join(', ') || 'no topics'}.`,
      )
  }
  return (event) =>
    (types === undefined || types.has(event.type)) &&
    (stream === undefined || event.streamId === stream) &&
    event.time >= since &&
    (position === undefined || isFrom(position, event.position))
}

function isFrom(start: Position, { topic, partition, offset }: Position): boolean {
  return topic === start.topic && partition === start.partition && offset >= start.offset
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
