// `narrative projections status`: how far the read models are behind the log, and what is parked.
import type { Command } from 'commander'
import { exitCode } from '../exit-code.js'
import { keptProjection, keptProjections } from '../kept-projection.js'
import { lagOf, type ProjectionLag } from '../log/projection-lag.js'
import { Refusal } from '../refusal.js'
import { onProject, type Surroundings } from '../surroundings.js'
import { counted, number } from '../terminal/counted.js'
import { examples } from './examples.js'

interface StatusRecord extends ProjectionLag {
  readonly projection: string
  readonly state: 'level' | 'behind' | 'never started'
  /** Dead letters. */
  readonly parked: number
}

export function describeProjectionsStatus(projections: Command, surroundings: Surroundings): void {
  const command = projections
    .command('status')
    .summary('how far they are behind the log, and what is parked')
    .description(
      'Shows for each projection how many events of the log its read model does not contain yet, how old the oldest of them is, and how many are parked. Compares what the store of the read models says with the log, whoever works on them.',
    )
    .argument('[projection]', 'only this one; default all')
    .addHelpText(
      'after',
      `${examples(
        ['narrative projections status', 'are the read models level with the log?'],
        ['narrative projections status orders-view --json', 'the same, for a monitor'],
      )}

Exits 3 when something is parked or was never started. Being behind is no fault: events have just come.`,
    )
  onProject(command, surroundings, async ({ project, output, signal }, [asked]) => {
    const chosen = asked === undefined ? keptProjections(project) : [keptProjection(project, asked)]
    const rows: StatusRecord[] = []
    for (const definition of chosen) {
      const { name: projection } = definition
      const lag = await lagOf(project, definition, { output, signal })
      const parked = lag.started ? await project.views.deadLetters(projection).count() : 0
      const state = lag.started ? (lag.events === 0 ? 'level' : 'behind') : 'never started'
      rows.push({ projection, state, ...lag, parked })
    }
    if (rows.length === 0) {
      output.note('No projection is kept where it can be looked at from here.')
      return
    }
    const { paint } = output
    const colours = { level: paint.green, behind: paint.yellow, 'never started': paint.red }
    await output.table(rows, [
      { heading: 'PROJECTION', text: ({ projection }) => projection },
      { heading: 'STATE', text: ({ state }) => state, paint: (text, { state }) => colours[state](text) },
      { heading: 'BEHIND', align: 'right', text: ({ events }) => counted(events, 'event') },
      { heading: 'SECONDS', align: 'right', text: ({ seconds }) => number(seconds) },
      {
        heading: 'PARKED',
        align: 'right',
        text: ({ parked }) => number(parked),
        paint: (text, { parked }) => (parked > 0 ? paint.red(text) : text),
      },
    ])
    const unwell = rows.filter(({ started, parked }) => !started || parked > 0)
    if (unwell.length === 0) return
    throw new Refusal(
      exitCode.notFoundOrUnhealthy,
      unwell
        .map(({ projection, started, parked }) =>
          started
            ? `${projection} has ${counted(parked, 'dead letter')}; narrative dead-letters list ${projection} shows them.`
            : `${projection} was never started: no checkpoint of it is in the store of the read models.`,
        )
        .join('\n'),
    )
  })
}
