// `narrative projections rebuild <projection>`: makes a read model again, beside the old one.
import type { RebuildProgress } from '@narrative/projections'
import type { Command } from 'commander'
import { keptProjection } from '../kept-projection.js'
import { onProject, type Surroundings } from '../surroundings.js'
import { counted } from '../terminal/counted.js'
import { progressBar } from '../terminal/progress-bar.js'
import { examples } from './examples.js'

export function describeProjectionsRebuild(projections: Command, surroundings: Surroundings): void {
  const command = projections
    .command('rebuild')
    .summary('make a read model again, from offset 0')
    .description(
      'Builds a read model again from offset 0, in this process and beside the service. Readers keep the old one until the new one is level with it; then one transaction switches. Ctrl-C gives up, and leaves the old one as it is.',
    )
    .argument('<projection>', 'its name')
    .addHelpText(
      'after',
      examples(
        ['narrative projections rebuild orders-view', 'with a bar on a terminal'],
        ['narrative projections rebuild orders-view --json', 'an object several times a second, and one at the end'],
      ),
    )
  onProject(command, surroundings, async ({ project, output, signal }, [asked = '']) => {
    const { name } = keptProjection(project, asked)
    const began = performance.now()
    const onProgress = (progress: RebuildProgress) => {
      if (output.json) void output.result({ ...progress, done: false }, '')
      else output.progress(progressBar(progress))
    }
    let built: RebuildProgress
    try {
      built = await project.views.rebuild(name, { onProgress, signal })
    } catch (error) {
      if (signal.aborted) output.note(`Given up. ${name} is as it was.`)
      throw error
    }
    const seconds = (performance.now() - began) / 1000
    const sentence = `${name} was rebuilt from offset 0: ${counted(built.events, 'event')} in ${seconds.toFixed(1)} s.`
    await output.result({ ...built, done: true }, sentence)
  })
}
