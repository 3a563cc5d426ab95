// `narrative streams read <stream>`: the events of one stream, as they are stored.
import type { Command } from 'commander'
import { notFound } from '../refusal.js'
import { onProject, type Surroundings } from '../surroundings.js'
import { type EventRecord, eventRecord } from '../terminal/event-record.js'
import { examples } from './examples.js'

export function describeStreamsRead(streams: Command, surroundings: Surroundings): void {
  const command = streams
    .command('read')
    .summary('the events of one stream')
    .description(
      'Shows the events of one stream in their order: version, time, name, and data as it is stored (before upcasting).',
    )
    .argument('<stream>', 'its id: category, hyphen, aggregate id')
    .addHelpText(
      'after',
      examples(
        ['narrative streams read order-4711', 'what happened to order 4711'],
        ['narrative streams read order-4711 --json | jq .data', 'its data alone'],
      ),
    )
  onProject(command, surroundings, async ({ project, output }, [streamId = '']) => {
    project.aggregateOf(streamId)
    const events: EventRecord[] = []
    for await (const event of project.app.eventStore.read(streamId)) events.push(eventRecord(event))
    if (events.length === 0)
      throw notFound(`There is no stream ${streamId}. narrative streams list shows those there are.`)
    await output.table(events, [
      { heading: 'VERSION', align: 'right', text: ({ version }) => String(version) },
      { heading: 'TIME', text: ({ time }) => time, paint: output.paint.dim },
      { heading: 'EVENT', text: ({ type }) => type, paint: output.paint.cyan },
      { heading: 'DATA', text: ({ data }) => JSON.stringify(data) },
    ])
  })
}
