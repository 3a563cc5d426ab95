// `narrative streams state <stream>`: an aggregate as it is, or as it was.
import { inspect } from 'node:util'
import type { Until } from '@narrative/core'
import { aggregateIdOf } from '@narrative/core'
import type { Command } from 'commander'
import { notFound } from '../refusal.js'
import { onProject, type Surroundings } from '../surroundings.js'
import { plainState } from '../terminal/plain-state.js'
import { parseAsOf } from './arguments.js'
import { examples } from './examples.js'

export function describeStreamsState(streams: Command, surroundings: Surroundings): void {
  const command = streams
    .command('state')
    .summary('an aggregate as it is, or as it was')
    .description("Folds the events of one stream with the project's own aggregate, and shows the state.")
    .argument('<stream>', 'its id: category, hyphen, aggregate id')
    .option('--as-of <moment>', 'a version, or an instant of ISO 8601 with its zone; default now', parseAsOf)
    .addHelpText(
      'after',
      examples(
        ['narrative streams state order-4711', 'order 4711 as it is'],
        ['narrative streams state order-4711 --as-of 3', 'as it was at version 3'],
        ['narrative streams state order-4711 --as-of 2026-11-21T12:00:00Z', 'as it was at noon'],
      ),
    )
  onProject<{ asOf?: Until }>(command, surroundings, async ({ project, output }, [streamId = ''], { asOf }) => {
    const aggregate = project.aggregateOf(streamId)
    const { state, version } = await project.app.aggregates.state(aggregate, aggregateIdOf(streamId), asOf)
    if (version === 0) {
      throw notFound(
        asOf?.asOf === undefined
          ? `There is no stream ${streamId}. narrative streams list shows those there are.`
          : `There was no stream ${streamId} at that time.`,
      )
    }
    const { isTTY } = surroundings.stdout
    const shown = inspect(state, { depth: null, colors: isTTY && surroundings.stdout.hasColors(), compact: false })
    await output.result(
      { streamId, version, state: plainState(state) },
      `${output.paint.bold(streamId)} at version ${version}\n${shown}`,
    )
  })
}
