// The way in for queries: find the handler, wait for the read model when asked to, answer; once, or as often as it changes.
import type { QueryRoute } from '../definition/query-route.js'
import { NarrativeError } from '../errors/narrative-error.js'
import type { AnswerOf, Class } from '../messages/message-class.js'
import { type Position, parsePosition } from '../messages/position.js'
import { liveAnswers, type ReadModelWatcher } from './live-query.js'

/** What a caller may say about a query. */
export interface QueryOptions {
  /** Answer only when the read model contains the event at this position (a position, or its token). */
  readonly after?: Position | string
  /** How long to wait for that, milliseconds; default 5,000. */
  readonly timeout?: number
}

/** What a caller may say about a query that stays open. */
export interface LiveQueryOptions extends QueryOptions {
  /** Ends it, without an error. */
  readonly signal?: AbortSignal
  /** Milliseconds that pass before it is asked again, however often the read model moves; default 100. */
  readonly interval?: number
}

/** Answers queries. */
export interface QueryBus {
  /**
   * @throws NarrativeError `QUERY_UNKNOWN`, `READ_MODEL_BEHIND`, `READ_MODEL_UNFOLLOWED`, `PROJECTION_STOPPED`, `POSITION_INVALID`
   * @throws the handler's own errors, as they are
   */
  execute<Q extends object>(query: Q, options?: QueryOptions): Promise<AnswerOf<Q>>

  /**
   * The answer, and then each new one as the read model changes, until `signal` aborts or the loop is left. Answers in
   * between may be left out, the last never is. Each is a whole one, so whoever lost the connection just asks again.
   *
   * @throws NarrativeError those of `execute`; `PROJECTION_STOPPED` when the read model moves no more, `ANSWER_NOT_DATA`,
   * `STORE_CLOSED` when the application stops
   * @example
   * ```ts
   * for await (const order of app.queries.subscribe(new GetOrder(orderId), { signal })) show(order)
   * ```
   */
  subscribe<Q extends object>(query: Q, options?: LiveQueryOptions): AsyncIterable<AnswerOf<Q>>
}

/** The read models, as far as queries are concerned; `readModel` undefined means all of them. */
export interface QueriedReadModels {
  /**
   * Resolves when they contain an event.
   * @throws NarrativeError `READ_MODEL_UNFOLLOWED`
   */
  waitFor(
    position: Position,
    options: { readonly readModel: object | undefined; readonly timeout: number },
  ): Promise<void>
  /**
   * Tells of every move, until the function returned is called.
   * @throws NarrativeError `READ_MODEL_UNFOLLOWED`
   */
  watch(watcher: ReadModelWatcher, readModel: object | undefined): () => void
}

export function createQueryBus(routes: ReadonlyMap<Class, QueryRoute>, readModels: QueriedReadModels): QueryBus {
  function routeOf(query: object): QueryRoute {
    const route = routes.get(query.constructor as Class)
    if (route === undefined) throw queryUnknown(query)
    return route
  }
  async function wait({ reads: readModel }: QueryRoute, { after, timeout = 5_000 }: QueryOptions): Promise<void> {
    if (after === undefined) return
    await readModels.waitFor(typeof after === 'string' ? parsePosition(after) : after, { readModel, timeout })
  }
  return {
    async execute(query, options = {}) {
      const route = routeOf(query)
      await wait(route, options)
      return route.answer(query) as never
    },
    async *subscribe(query, { interval = 100, signal, ...options } = {}) {
      const route = routeOf(query)
      await wait(route, options)
      const watch = (watcher: ReadModelWatcher) => readModels.watch(watcher, route.reads)
      const ask = async () => route.answer(query) as never
      yield* liveAnswers({ name: route.name, ask, watch, interval, signal })
    },
  }
}

function queryUnknown(query: object): NarrativeError {
  const name = query.constructor?.name ?? typeof query
  return new NarrativeError('QUERY_UNKNOWN', {
    message: `No query handler of this application answers ${name}. Give its class a @QueryHandler, and that handler’s class to createApplication({ queryHandlers }).`,
    details: { query: name },
  })
}
