// The plain form of a query handler, as the query bus sees it.
import type { Class } from '../messages/message-class.js'

/** One query and who answers it. */
export interface QueryRoute {
  readonly name: string
  readonly reads: Class | undefined
  answer(query: object): unknown
}
