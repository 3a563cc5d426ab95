// `narrative projections rebuild <projection>`: makes a read model again beside the old one, or watches others do it.
import { setTimeout as delay } from 'node:timers/promises'
import type { RebuildOverview, RebuildProgress } from '@narrative/projections'
import type { Command } from 'commander'
import { keptProjection } from '../kept-projection.js'
import { notFound } from '../refusal.js'
import { onProject, type Session, type Surroundings } from '../surroundings.js'
import { counted } from '../terminal/counted.js'
import { progressBar } from '../terminal/progress-bar.js'
import { parseCount } from './arguments.js'
import { examples } from './examples.js'

interface RebuildArguments {
  readonly watch?: boolean
  readonly resume?: boolean
  readonly keepOld?: boolean
  readonly eventsPerSecond?: number
}

export function describeProjectionsRebuild(projections: Command, surroundings: Surroundings): void {
  const command = projections
    .command('rebuild')
    .summary('make a read model again, from offset 0')
    .description(
      'Builds a read model again from offset 0, in this process and beside the service. Readers keep the old one until the new one is level with it; then one transaction switches. Called several times at once, the processes share the work. Ctrl-C gives up, and leaves the old one as it is.',
    )
    .argument('<projection>', 'its name')
    .option('--watch', 'only look at a rebuild that others are at, until it ends')
    .option('--resume', 'go on with what a crash left behind; only when the same handlers built it')
    .option('--keep-old', 'keep the old table, for narrative projections switch-back')
    .option('--events-per-second <n>', 'read no more than so many; default as fast as it goes', parseCount)
    .addHelpText(
      'after',
      examples(
        ['narrative projections rebuild orders-view', 'with a bar on a terminal'],
        ['narrative projections rebuild orders-view --keep-old', 'so that switch-back can undo it'],
        ['narrative projections rebuild orders-view --watch', 'how far are the others?'],
      ),
    )
  onProject<RebuildArguments>(command, surroundings, async (session, [asked = ''], options) => {
    const { name } = keptProjection(session.project, asked)
    await (options.watch ? watch(session, name) : rebuild(session, name, options))
  })
}

async function rebuild(session: Session, name: string, { resume, keepOld, eventsPerSecond }: RebuildArguments) {
  const { project, output, signal } = session
  const began = performance.now()
  const onProgress = (progress: RebuildProgress) => void report(session, progress)
  let built: RebuildProgress
  try {
    built = await project.views.rebuild(name, { onProgress, signal, resume, keepOld, eventsPerSecond })
  } catch (error) {
    if (signal.aborted) output.note(`Given up. ${name} is as it was.`)
    throw error
  }
  const seconds = (performance.now() - began) / 1000
  const sentence = `${name} was rebuilt from offset 0: ${counted(built.events, 'event')} in ${seconds.toFixed(1)} s.`
  await output.result({ ...built, done: true }, sentence)
}

/** What others do is asked once a second: nobody tells. */
async function watch(session: Session, name: string): Promise<void> {
  const { project, output, signal } = session
  let last: RebuildOverview | undefined
  for (;;) {
    const { rebuild: now, generation } = await project.views.overview(name)
    if (now === undefined) {
      if (last === undefined) throw notFound(`No rebuild of ${name} is under way.`)
      const done = generation >= last.generation
      if (done) return output.result({ projection: name, generation, done }, `${name} was rebuilt, and is in place.`)
      throw notFound(`The rebuild of ${name} has ended before it was done; the old read model stays.`)
    }
    last = now
    await report(session, { projection: name, ...now })
    await delay(1000, undefined, { signal })
  }
}

async function report({ output }: Session, progress: RebuildProgress): Promise<void> {
  if (output.json) await output.result({ ...progress, done: false }, '')
  else output.progress(progressBar(progress))
}
