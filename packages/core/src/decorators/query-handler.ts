// @QueryHandler: which method answers a query.
import type { AnswerOf, Class } from '../messages/message-class.js'
import { addHandlerMark } from './marks.js'
import type { QueryHandlerMethod } from './signatures.js'

/** How a query is answered. */
export interface QueryHandlerOptions {
  /** The read model (projection class) it reads: `after` then waits for that one alone, not for all of them. */
  readonly reads?: Class
}

/** Marks the method that answers a query. Its class is made by the container, so its constructor may ask for services. */
export function QueryHandler<Q extends object>(queryClass: Class<Q>, options: QueryHandlerOptions = {}) {
  return <F>(
    prototype: object,
    method: string | symbol,
    _descriptor: TypedPropertyDescriptor<F> & QueryHandlerMethod<Q, AnswerOf<Q>, F>,
  ): void => addHandlerMark('queryHandlers', prototype, { method, messageClass: queryClass, options })
}
