// `narrative projections pause`, `resume`, `cancel`, `switch-back` and `reset`: word for the workers, wherever they run.
import type { Projections } from '@narrative/projections'
import type { Command } from 'commander'
import { keptProjection } from '../kept-projection.js'
import { notFound } from '../refusal.js'
import { onProject, type Surroundings } from '../surroundings.js'
import { examples } from './examples.js'

interface Verb {
  readonly summary: string
  readonly description: string
  readonly purpose: string
  /** @returns what is true from now on */
  work(views: Projections, name: string): Promise<string>
}

const verbs: Readonly<Record<string, Verb>> = {
  pause: {
    summary: 'have its workers stand still',
    description:
      'Has all workers of a projection stand still, in every process, until it is resumed; also over restarts.',
    purpose: 'before work on the database',
    async work(views, name) {
      await views.pause(name)
      return `${name} is paused. narrative projections resume ${name} lets it go on.`
    },
  },
  resume: {
    summary: 'let its workers go on',
    description: 'Lets the workers of a projection go on; those that had stopped try again.',
    purpose: 'the cause is gone',
    async work(views, name) {
      await views.resume(name)
      return `${name} goes on.`
    },
  },
  cancel: {
    summary: 'end a rebuild',
    description:
      'Ends a rebuild, whichever processes are at it, and throws away what was built, also what a crash left.',
    purpose: 'the old read model stays',
    async work(views, name) {
      if (await views.cancelRebuild(name)) return `The rebuild of ${name} is cancelled; the old read model stays.`
      throw notFound(`No rebuild of ${name} is under way.`)
    },
  },
  'switch-back': {
    summary: 'put the read model before the last rebuild in place again',
    description: 'Puts the table that rebuild --keep-old kept in place again. It goes on from where it stood.',
    purpose: 'the new one was wrong',
    async work(views, name) {
      await views.switchBack(name)
      return `${name} is what it was before its last rebuild, and catches up.`
    },
  },
  reset: {
    summary: 'empty it where it stands',
    description:
      'Empties a read model where it stands; its workers fill it again from offset 0. Readers see that: rebuild is the way they do not.',
    purpose: 'start over',
    async work(views, name) {
      await views.reset(name)
      return `${name} is empty, and is filled again from offset 0.`
    },
  },
}

export function describeProjectionsControl(projections: Command, surroundings: Surroundings): void {
  for (const [name, { summary, description, purpose, work }] of Object.entries(verbs)) {
    const command = projections
      .command(name)
      .summary(summary)
      .description(description)
      .argument('<projection>', 'its name')
      .addHelpText('after', examples([`narrative projections ${name} orders-view`, purpose]))
    onProject(command, surroundings, async ({ project, output }, [asked = '']) => {
      const { name: projection } = keptProjection(project, asked)
      const { generation } = await project.views.overview(projection)
      if (generation === 0) throw notFound(`${projection} was never started: nothing of it is stored.`)
      const sentence = await work(project.views, projection)
      await output.result({ projection, done: name }, sentence)
    })
  }
}
