// `narrative projections list`: what this project projects, and into what.
import { type ProjectionDefinition, tablesOf } from '@narrative/projections'
import type { Command } from 'commander'
import { followedBy } from '../project.js'
import { onProject, type Surroundings } from '../surroundings.js'
import { examples } from './examples.js'

interface ProjectionRecord {
  readonly projection: string
  /** Categories. */
  readonly follows: readonly string[]
  /** `table orders`, `tables orders, customers`, `sql` or `memory`. */
  readonly keeps: string
}

export function describeProjectionsList(projections: Command, surroundings: Surroundings): void {
  const command = projections
    .command('list')
    .summary('what this project projects')
    .description('Lists the projections of the configuration: what they follow, and what they keep. Asks nobody.')
    .addHelpText('after', examples(['narrative projections list', 'their names, for the other commands']))
  onProject(command, surroundings, async ({ project, output }) => {
    const rows = project.views.definitions.map(recordOf)
    if (rows.length === 0) {
      output.note('The configuration names no projections.')
      return
    }
    await output.table(rows, [
      { heading: 'PROJECTION', text: ({ projection }) => projection },
      { heading: 'FOLLOWS', text: ({ follows }) => follows.join(', ') },
      { heading: 'KEEPS', text: ({ keeps }) => keeps },
    ])
  })
}

function recordOf(definition: ProjectionDefinition): ProjectionRecord {
  const { name, target } = definition
  const tables = tablesOf(target).map((table) => table.name)
  return {
    projection: name,
    follows: followedBy(definition),
    keeps: tables.length === 0 ? target.kind : `table${tables.length > 1 ? 's' : ''} ${tables.join(', ')}`,
  }
}
