// The port by which a request reaches the instance that owns a stream. Adapters with one instance have none.
import type { StreamId } from '../messages/stream-id.js'

/** A request on its way to the owner of a stream. */
export interface RoutedRequest {
  readonly streamId: StreamId
  /** Identifies the request; for a command its command id. */
  readonly id: string
  /** Milliseconds since 1970 UTC, after which it is not to be handled any more. */
  readonly deadline: number
  readonly payload: Uint8Array
}

/** What the owner answered. */
export interface RoutedReply {
  readonly payload: Uint8Array
  /**
   * Whether the same request, handled again by the next owner, would do no more and answer the same. If not, the router
   * makes sure that it is never handled again before it hands the reply over: who was refused must stay refused.
   */
  readonly repeatable: boolean
}

/**
 * Handles a request from elsewhere. One that rejects leaves it to the next owner.
 * @param signal aborts when the stream is not owned here any more: what is not on its way into the store by then must not get
 * there later, should it come to be owned here again, because the owner in between may have refused it
 */
export type RequestHandler = (request: RoutedRequest, signal: AbortSignal) => Promise<RoutedReply>

/** Takes requests to the owner of their stream, wherever that is, and through a change of owner. */
export interface CommandRouter {
  /** Where a stream is owned, as far as is known here. */
  ownerOf(streamId: StreamId): 'here' | 'elsewhere'
  /**
   * @returns the payload of the reply
   * @throws NarrativeError `OUTCOME_UNKNOWN` when there was no reply in time; `STORE_BUSY` and `BROKER_UNREACHABLE` when it
   * was not sent; `STORE_CLOSED`
   */
  send(request: RoutedRequest): Promise<Uint8Array>
  /** Says how requests from elsewhere are handled here; called once. */
  serve(handler: RequestHandler): void
}
