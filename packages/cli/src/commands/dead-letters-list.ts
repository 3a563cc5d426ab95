// `narrative dead-letters list`: which events the projections could not apply.
import type { Command } from 'commander'
import { chosenProjections } from '../kept-projection.js'
import { onProject, type Surroundings } from '../surroundings.js'
import { counted } from '../terminal/counted.js'
import { deadLetterRecord, viewOf, whyParked } from '../terminal/dead-letter-record.js'
import { parseCount } from './arguments.js'
import { examples } from './examples.js'

interface ListOptions {
  readonly key?: string
  readonly limit: number
}

export function describeDeadLettersList(deadLetters: Command, surroundings: Surroundings): void {
  const command = deadLetters
    .command('list')
    .summary('events that could not be applied, and those that wait behind them')
    .description(
      'Lists the events that projections could not apply, and the later ones of the same key that wait behind them, in the order of the log.',
    )
    .argument('[projection]', 'only of this one; default of all')
    .option('--key <key>', 'only of this key')
    .option('--limit <n>', 'at most so many of each projection', parseCount, 100)
    .addHelpText(
      'after',
      examples(
        ['narrative dead-letters list', 'everything that is parked'],
        ['narrative dead-letters list orders-view --key 4711', 'what holds up order 4711 in this view'],
      ),
    )
  onProject<ListOptions>(command, surroundings, async ({ project, output }, [asked], { key, limit }) => {
    const rows = []
    for (const { name } of chosenProjections(project, asked)) {
      const letters = project.views.deadLetters(name)
      const listed = (await letters.list({ key, limit })).map((letter) => deadLetterRecord(name, letter))
      rows.push(...listed)
      if (key !== undefined || listed.length < limit) continue
      const count = await letters.count()
      if (count > limit) output.note(`${name} has ${counted(count, 'dead letter')}; --limit shows more.`)
    }
    if (rows.length === 0) {
      output.note('No dead letters.')
      return
    }
    await output.table(rows, [
      { heading: 'PROJECTION', text: ({ projection }) => projection },
      { heading: 'VIEW', text: viewOf, paint: (text, { building }) => (building ? output.paint.yellow(text) : text) },
      { heading: 'POSITION', text: ({ position }) => position },
      { heading: 'KEY', text: ({ key }) => key },
      { heading: 'EVENT', text: ({ event }) => event.type, paint: output.paint.cyan },
      { heading: 'TRIED', align: 'right', text: ({ attempts }) => String(attempts) },
      { heading: 'PARKED', text: ({ parkedAt }) => parkedAt, paint: output.paint.dim },
      {
        heading: 'WHY',
        text: whyParked,
        paint: (text, { failure }) => (failure === null ? output.paint.dim(text) : output.paint.red(text)),
      },
    ])
  })
}
