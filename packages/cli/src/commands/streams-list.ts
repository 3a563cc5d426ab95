// `narrative streams list`: which streams there are, and how far each has come.
import type { Command } from 'commander'
import { presentLog } from '../log/present-log.js'
import { onProject, type Surroundings } from '../surroundings.js'
import { examples } from './examples.js'

interface StreamRecord {
  readonly streamId: string
  readonly version: number
  readonly lastEvent: string
  /** ISO 8601. */
  readonly time: string
}

export function describeStreamsList(streams: Command, surroundings: Surroundings): void {
  const command = streams
    .command('list')
    .summary('which streams there are, with their versions')
    .description('Lists streams with their version and their latest event. Reads the whole log of their categories.')
    .argument('[category]', 'only the streams of this one; default all of the project')
    .option('--prefix <text>', 'only aggregate ids that begin with this')
    .addHelpText(
      'after',
      examples(
        ['narrative streams list order', 'every order'],
        ['narrative streams list order --prefix 47', 'orders whose id begins with 47'],
      ),
    )
  onProject<{ prefix?: string }>(command, surroundings, async (session, [category], { prefix = '' }) => {
    const { project, output, signal } = session
    const categories = project.chosenCategories(category)
    const prefixes = categories.map((each) => `${each}-${prefix}`)
    const found = new Map<string, { version: number; type: string; time: number }>()
    for await (const events of presentLog({ eventLog: project.app.eventLog, categories, output, signal })) {
      for (const { streamId, version, type, time } of events) {
        if (prefixes.some((each) => streamId.startsWith(each))) found.set(streamId, { version, type, time })
      }
    }
    if (signal.aborted) return
    const rows = [...found]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(
        ([streamId, { version, type, time }]): StreamRecord => ({
          streamId,
          version,
          lastEvent: type,
          time: new Date(time).toISOString(),
        }),
      )
    if (rows.length === 0) {
      output.note('No streams.')
      return
    }
    await output.table(rows, [
      { heading: 'STREAM', text: ({ streamId }) => streamId },
      { heading: 'VERSION', align: 'right', text: ({ version }) => String(version) },
      { heading: 'LAST EVENT', text: ({ lastEvent }) => lastEvent, paint: output.paint.cyan },
      { heading: 'TIME', text: ({ time }) => time, paint: output.paint.dim },
    ])
  })
}
