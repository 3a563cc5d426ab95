// `narrative projections status`: how the read models stand, whoever works on them.
import type { ProjectionOverview, RebuildOverview } from '@narrative/projections'
import type { Command } from 'commander'
import { exitCode } from '../exit-code.js'
import { chosenProjections } from '../kept-projection.js'
import { Refusal } from '../refusal.js'
import { onProject, type Surroundings } from '../surroundings.js'
import { counted, number } from '../terminal/counted.js'
import { examples } from './examples.js'

type Condition = 'level' | 'behind' | 'paused' | 'stopped' | 'retrying' | 'nobody follows' | 'never started'

interface StatusRecord extends ProjectionOverview {
  readonly condition: Condition
}

export function describeProjectionsStatus(projections: Command, surroundings: Surroundings): void {
  const command = projections
    .command('status')
    .summary('how far they are behind the log, who follows them, what is parked')
    .description(
      'Shows for each projection how many events of the log its read model does not contain yet, how long ago the oldest of them happened, how many are parked, and who follows it. Compares what is stored with the log, whoever works on it.',
    )
    .argument('[projection]', 'only this one; default all')
    .addHelpText(
      'after',
      `${examples(
        ['narrative projections status', 'are the read models level with the log?'],
        ['narrative projections status orders-view --json', 'all there is to know, for a monitor'],
      )}

Exits 3 when one is stopped, was never started or has dead letters, or when nobody follows it.
Being behind is no fault: events have just come. Neither is being paused: somebody wants it.`,
    )
  onProject(command, surroundings, async ({ project, output }, [asked]) => {
    const rows: StatusRecord[] = []
    for (const { name } of chosenProjections(project, asked)) {
      const overview = await project.views.overview(name)
      rows.push({ condition: conditionOf(overview), ...overview })
    }
    if (rows.length === 0) {
      output.note('No projection is kept where it can be looked at from here.')
      return
    }
    const { paint } = output
    const alarming = (row: StatusRecord) => unwell(row) !== undefined
    await output.table(rows, [
      { heading: 'PROJECTION', text: ({ projection }) => projection },
      {
        heading: 'STATE',
        text: ({ condition }) => condition,
        paint: (text, row) =>
          (row.condition === 'level' ? paint.green : alarming(row) ? paint.red : paint.yellow)(text),
      },
      { heading: 'BEHIND', align: 'right', text: ({ lag }) => counted(lag.events, 'event') },
      {
        heading: 'SECONDS',
        align: 'right',
        text: ({ lag }) => (lag.seconds === undefined ? '?' : number(lag.seconds)),
      },
      {
        heading: 'PARKED',
        align: 'right',
        text: ({ parked }) => number(parked),
        paint: (text, { parked }) => (parked > 0 ? paint.red(text) : text),
      },
      { heading: 'WORKERS', align: 'right', text: ({ workers }) => number(workers.length) },
      {
        heading: 'REBUILD',
        text: ({ rebuild }) => (rebuild === undefined ? '' : rebuildText(rebuild)),
        paint: (text, { rebuild }) => (rebuild !== undefined && rebuild.parked > 0 ? paint.red(text) : text),
      },
    ])
    const reasons = rows.flatMap((row) => unwell(row) ?? [])
    if (reasons.length > 0) throw new Refusal(exitCode.notFoundOrUnhealthy, reasons.join('\n'))
  })
}

function conditionOf({ generation, paused, workers, lag }: ProjectionOverview): Condition {
  if (generation === 0) return 'never started'
  if (paused) return 'paused'
  if (workers.length === 0) return 'nobody follows'
  for (const state of ['stopped', 'retrying'] as const)
    if (workers.some((worker) => worker.state === state)) return state
  return lag.events === 0 ? 'level' : 'behind'
}

/** What somebody should look at, a sentence. */
function unwell({ projection, condition, parked, workers }: StatusRecord): string | undefined {
  if (condition === 'never started') return `${projection} was never started: nothing of it is stored.`
  if (condition === 'nobody follows') return `Nobody follows ${projection}: start the service.`
  if (condition === 'stopped') {
    const reason = workers.find(({ state }) => state === 'stopped')?.reason
    return `${projection} has stopped: ${reason ?? 'its log says why'}`
  }
  if (parked === 0) return undefined
  return `${projection} has ${counted(parked, 'dead letter')}; narrative dead-letters list ${projection} shows them.`
}

function rebuildText(rebuild: RebuildOverview): string {
  const parked = rebuild.parked > 0 ? `, ${number(rebuild.parked)} parked` : ''
  return `${percentOf(rebuild)} %${parked}`
}

function percentOf({ events, total }: { readonly events: number; readonly total: number }): number {
  return total === 0 ? 100 : Math.floor((100 * events) / total)
}
