// A projection that can be looked after from outside: it exists, and what it keeps is not inside the service.
import type { ProjectionDefinition } from '@narrative/projections'
import type { Config } from './configuration/define-config.js'
import type { Project } from './project.js'
import { notFound, wrongUsage } from './refusal.js'

/** @throws Refusal */
export function keptProjection({ views, config }: Project, name: string): ProjectionDefinition {
  const names = views.definitions.map((definition) => definition.name)
  const definition = views.definitions.find((each) => each.name === name)
  if (definition === undefined) {
    throw notFound(`No projection of this project is called ${name}. Known: ${names.join(', ') || 'none'}.`)
  }
  if (!isKept(definition, config)) {
    throw wrongUsage(
      `${name} is kept in the memory of the service, which builds it at every start: there is nothing of it to look after from here.`,
    )
  }
  return definition
}

/** The one that was asked for, or every projection that can be looked after from here. @throws Refusal */
export function chosenProjections(project: Project, asked: string | undefined): readonly ProjectionDefinition[] {
  if (asked !== undefined) return [keptProjection(project, asked)]
  return project.views.definitions.filter((definition) => isKept(definition, project.config))
}

function isKept({ target }: ProjectionDefinition, { readModels }: Config): boolean {
  return target.kind !== 'memory' && readModels !== undefined && readModels.name !== 'memory'
}
