// The way in for queries: find the handler, wait for the read model when asked to, answer.
import type { QueryRoute } from '../definition/query-route.js'
import { NarrativeError } from '../errors/narrative-error.js'
import type { AnswerOf, Class } from '../messages/message-class.js'
import { type Position, parsePosition } from '../messages/position.js'

/** What a caller may say about a query. */
export interface QueryOptions {
  /** Answer only when the read model contains the event at this position (a position, or its token). */
  readonly after?: Position | string
  /** How long to wait for that, milliseconds; default 5,000. */
  readonly timeout?: number
}

/** Answers queries. */
export interface QueryBus {
  /**
   * @throws NarrativeError `QUERY_UNKNOWN`, `READ_MODEL_BEHIND`, `PROJECTION_STOPPED`, `POSITION_INVALID`
   * @throws the handler's own errors, as they are
   */
  execute<Q extends object>(query: Q, options?: QueryOptions): Promise<AnswerOf<Q>>
}

/** Waits until read models contain an event. */
export type WaitForReadModels = (
  position: Position,
  options: { readonly readModel?: object; readonly timeout: number },
) => Promise<void>

export function createQueryBus(routes: ReadonlyMap<Class, QueryRoute>, waitFor: WaitForReadModels): QueryBus {
  async function run(query: object, { after, timeout = 5_000 }: QueryOptions): Promise<unknown> {
    const route = routes.get(query.constructor as Class)
    if (route === undefined) throw queryUnknown(query)
    if (after !== undefined) {
      await waitFor(typeof after === 'string' ? parsePosition(after) : after, { readModel: route.reads, timeout })
    }
    return route.answer(query)
  }
  return { execute: (query, options = {}) => run(query, options) as Promise<never> }
}

function queryUnknown(query: object): NarrativeError {
  const name = query.constructor?.name ?? typeof query
  return new NarrativeError('QUERY_UNKNOWN', {
    message: `No query handler of this application answers ${name}. Give its class a @QueryHandler, and that handler’s class to createApplication({ queryHandlers }).`,
    details: { query: name },
  })
}
