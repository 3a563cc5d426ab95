// A projection that can be looked after from outside: it exists, and what it keeps is not inside the service.
import type { Project } from './project.js'
import { notFound, wrongUsage } from './refusal.js'

/** @returns the name as given. @throws Refusal */
export function keptProjection({ views, config }: Project, name: string): string {
  const names = views.definitions.map((definition) => definition.name)
  const definition = views.definitions.find((each) => each.name === name)
  if (definition === undefined) {
    throw notFound(`No projection of this project is called ${name}. Known: ${names.join(', ') || 'none'}.`)
  }
  if (definition.target.kind === 'memory' || config.readModels?.name === 'memory') {
    throw wrongUsage(
      `${name} is kept in the memory of the service, which builds it at every start: there is nothing of it to look after from here.`,
    )
  }
  return name
}
