// `narrative dead-letters redrive` and `skip`: what shall become of dead letters. Whoever follows their partitions does it.
import { parsePosition } from '@narrative/core'
import type { LetterChoice, Wish } from '@narrative/projections'
import type { Command } from 'commander'
import { keptProjection } from '../kept-projection.js'
import { notFound, wrongUsage } from '../refusal.js'
import { onProject, type Surroundings } from '../surroundings.js'
import { counted } from '../terminal/counted.js'
import { examples } from './examples.js'

interface ChoiceOptions {
  readonly key?: string
  readonly position?: string
  readonly all?: boolean
}

const wishes: Readonly<
  Record<Wish, { readonly summary: string; readonly description: string; readonly outcome: string }>
> = {
  redrive: {
    summary: 'apply them again',
    description:
      'Asks for dead letters to be applied again: in order, decoded and upcast anew by the program that runs now. Those that fail again stay parked.',
    outcome: 'applied again',
  },
  skip: {
    summary: 'forget them',
    description:
      'Asks for dead letters to be forgotten: the read model will never contain these events, until it is rebuilt. Those that waited behind them are applied.',
    outcome: 'forgotten',
  },
}

export function describeDeadLettersAsk(deadLetters: Command, surroundings: Surroundings, wish: Wish): void {
  const { summary, description, outcome } = wishes[wish]
  const command = deadLetters
    .command(wish)
    .summary(summary)
    .description(`${description} Whoever follows their partitions does it, so a service has to run.`)
    .argument('<projection>', 'its name')
    .option('--key <key>', 'all of this key')
    .option('--position <position>', 'the one at this position')
    .option('--all', 'all there are')
    .addHelpText(
      'after',
      examples(
        [`narrative dead-letters ${wish} orders-view --key 4711`, 'all of order 4711'],
        [`narrative dead-letters ${wish} orders-view --position shop.order.events/0@42`, 'this one'],
      ),
    )
  onProject<ChoiceOptions>(command, surroundings, async ({ project, output }, [asked = ''], options) => {
    const which = choiceOf(options)
    const { name } = keptProjection(project, asked)
    const letters = await project.views.deadLetters(name).ask(wish, which)
    if (letters === 0)
      throw notFound(`${name} has no such dead letters. narrative dead-letters list shows those there are.`)
    await output.result(
      { projection: name, wish, letters },
      `${counted(letters, 'dead letter')} of ${name} will be ${outcome} by whoever follows the projection. narrative dead-letters list shows what is left.`,
    )
  })
}

function choiceOf({ key, position, all }: ChoiceOptions): LetterChoice {
  if ([key, position, all].filter((each) => each !== undefined).length !== 1)
    throw wrongUsage('Say which: one of --key <key>, --position <position> and --all.')
  if (key !== undefined) return { key }
  return position === undefined ? 'all' : { position: parsePosition(position) }
}
