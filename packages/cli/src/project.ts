// A user's project, opened to be looked at: nothing is claimed, no group is joined, no projection is followed.
import {
  type AggregateDefinition,
  type Application,
  type Class,
  categoryOf,
  createApplication,
  type EventStorage,
  type Logger,
  readAggregate,
  type StreamId,
} from '@narrative/core'
import { memoryReadModels, type ProjectionDefinition, type Projections, projections } from '@narrative/projections'
import type { Config } from './configuration/define-config.js'
import { notFound } from './refusal.js'

/** An opened project. */
export interface Project {
  readonly config: Config
  readonly app: Application
  readonly views: Projections
  /** The categories of its aggregates. */
  readonly categories: readonly string[]
  /** What was asked for, or all. @throws Refusal for one that no aggregate has */
  chosenCategories(category: string | undefined): readonly string[]
  /** The aggregate that a stream is of, as the configuration names it. @throws Refusal when there is none */
  aggregateOf(streamId: StreamId): AggregateDefinition
  close(): Promise<void>
}

/**
 * Opens what a configuration describes.
 * @throws NarrativeError `STARTUP_FAULTS`, and what the event store throws when it cannot be reached
 */
export async function openProject(config: Config, logger: Logger): Promise<Project> {
  const views = viewsOf(config)
  const { aggregates, modules, container } = config
  const app = await createApplication({
    ...{ aggregates, modules, container, logger },
    parts: [views],
    eventStore: forReading(config.eventStore),
  })
  const byCategory = new Map(aggregates.map((aggregate) => [definitionOf(aggregate).category, aggregate]))
  const categories = [...byCategory.keys()]
  const find = (category: string, asked: string): AggregateDefinition => {
    const found = byCategory.get(category)
    if (found !== undefined) return found as AggregateDefinition
    throw notFound(
      `${asked}, and no aggregate of this project has that category. Known: ${categories.join(', ') || 'none'}.`,
    )
  }
  return {
    ...{ config, app, views, categories },
    chosenCategories(category) {
      if (category === undefined) return categories
      find(category, `You asked for ${category}`)
      return [category]
    },
    aggregateOf: (streamId) => find(categoryOf(streamId), `${streamId} is of the category ${categoryOf(streamId)}`),
    close: () => app.stop(),
  }
}

/** The projections of a project, at rest: only reading them and rebuilding them touches their store. */
export function viewsOf({ projections: classes = [], readModels = memoryReadModels() }: Config): Projections {
  return projections(classes, { store: readModels, follow: false })
}

/** Opened for no categories, an event store takes no partition, joins no group and claims nothing. */
function forReading(eventStore: EventStorage): EventStorage {
  return { name: eventStore.name, open: (context) => eventStore.open({ ...context, categories: [] }) }
}

/** The definition behind a class or a decider; faults in it are reported when the project is opened. */
export function definitionOf(aggregate: object): AggregateDefinition {
  return typeof aggregate === 'function'
    ? readAggregate(aggregate as Class).definition
    : (aggregate as AggregateDefinition)
}

/** The categories that a projection follows. */
export function followedBy({ from }: ProjectionDefinition): string[] {
  return from.map((source) => definitionOf(source).category)
}
