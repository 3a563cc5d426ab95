// Reads the marks of query handler classes into routes.

import type { QueryRoute } from '../definition/query-route.js'
import type { Class } from '../messages/message-class.js'
import { getHandlerMarks, getMark } from './marks.js'
import type { QueryHandlerOptions } from './query-handler.js'

/** The routes of some classes, and everything wrong with them. `instanceOf` makes a handler when it is first asked. */
export function readQueryHandlers(
  classes: readonly Class[],
  instanceOf: (handlerClass: Class) => object,
): { readonly routes: ReadonlyMap<Class, QueryRoute>; readonly faults: readonly string[] } {
  const routes = new Map<Class, QueryRoute>()
  const names = new Map<string, string>()
  const faults: string[] = []
  for (const handlerClass of classes) {
    const marks = getHandlerMarks('queryHandlers', handlerClass)
    if (marks.length === 0)
      faults.push(`Class ${handlerClass.name} is given as a query handler but has no @QueryHandler method.`)
    for (const { messageClass, method, options } of marks) {
      const where = `${handlerClass.name}.${String(method)}`
      const name = getMark('query', messageClass)
      if (name === undefined) {
        faults.push(`${where} answers ${messageClass.name}, which is not marked with @Query(name).`)
        continue
      }
      const earlier = names.get(name)
      if (earlier !== undefined) faults.push(`Query ${name} is answered by two: ${earlier} and ${where}.`)
      names.set(name, where)
      routes.set(messageClass, {
        name,
        reads: (options as QueryHandlerOptions).reads,
        answer: (query) =>
          (instanceOf(handlerClass) as Record<string | symbol, (query: object) => unknown>)[method]!(query),
      })
    }
  }
  return { routes, faults }
}
